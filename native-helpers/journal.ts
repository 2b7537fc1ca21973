/**
 * The undo journal: what must be put back, on disk before the change is made. A helper that starts
 * after a crash needs nothing but this file and the names of things to leave the machine as it was.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";

const entriesSchema = z.object({
  version: z.literal(1),
  /** Kernel settings do not outlive a boot, so entries of another boot are void. */
  bootId: z.string(),
  /** Interfaces we made. */
  interfaces: z.array(z.string()),
  /** Kernel settings with the value they had before the first of our changes. */
  sysctls: z.array(z.object({ key: z.string(), original: z.string() })),
  /** Whether a temporary guest of the self-test is, or may be, there. */
  testGuest: z.boolean().optional(),
});

export type JournalEntries = z.infer<typeof entriesSchema>;

export class Journal {
  readonly #path: string;
  readonly #bootId: string;

  constructor(stateDir: string, bootId: string) {
    this.#path = join(stateDir, "undo.json");
    this.#bootId = bootId;
  }

  /** What an earlier moment of this boot has to put back; undefined when nothing. */
  read(): JournalEntries | undefined {
    let text: string;
    try {
      text = readFileSync(this.#path, "utf8");
    } catch {
      return undefined;
    }
    const parsed = entriesSchema.safeParse(parseJson(text));
    // A file that cannot be read back still says that we changed something: names find the rest.
    if (!parsed.success) return { version: 1, bootId: this.#bootId, interfaces: [], sysctls: [] };
    if (parsed.data.bootId !== this.#bootId) return undefined;
    return parsed.data;
  }

  /**
   * Adds to what must be put back, and is on disk when it returns. A value that is in the journal
   * already keeps its first original: what we changed ourselves is not somebody's wish.
   */
  add(more: { interfaces?: readonly string[]; sysctls?: readonly { key: string; original: string }[] }): void {
    const present = this.read();
    const sysctls = [...(present?.sysctls ?? [])];
    for (const save of more.sysctls ?? []) {
      if (!sysctls.some(({ key }) => key === save.key)) sysctls.push({ key: save.key, original: save.original });
    }
    const interfaces = [...new Set([...(present?.interfaces ?? []), ...(more.interfaces ?? [])])];
    this.#write({ ...present, version: 1, bootId: this.#bootId, interfaces, sysctls });
  }

  /** Notes that a temporary guest is about to be made, or that it is gone. */
  setTestGuest(testGuest: boolean): void {
    const present = this.read();
    if ((present?.testGuest ?? false) === testGuest) return;
    this.#write({ version: 1, bootId: this.#bootId, interfaces: [], sysctls: [], ...present, testGuest });
  }

  clear(): void {
    rmSync(this.#path, { force: true });
  }

  #write(entries: JournalEntries): void {
    const temporary = `${this.#path}.new`;
    const file = openSync(temporary, "w", 0o600);
    try {
      writeSync(file, JSON.stringify(entries));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, this.#path);
    const directory = openSync(dirname(this.#path), "r");
    try {
      fsyncSync(directory);
    } finally {
      closeSync(directory);
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
