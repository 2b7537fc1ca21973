/**
 * The owner's settings in `settings.json`. The file holds what the owner has set and nothing else, so
 * that a default that improves reaches everybody who never chose. A file that cannot be understood is
 * reported and left alone: somebody wrote it by hand and will want it back.
 */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { type Settings, settingsSchema } from "../../src-shared/model/settings.ts";
import { describeZodError, fail, ok, type Result } from "../../src-shared/result.ts";
import { writeFileAtomically } from "./atomic-file.ts";

export const SETTINGS_FILE_NAME = "settings.json";

/** Every list at its limit is some 10 kB; a larger file is not ours, and is not read into memory. */
const MAX_SETTINGS_BYTES = 256 * 1024;

type Listener = (settings: Settings) => void;

export class SettingsStore {
  readonly #path: string;
  readonly #listeners = new Set<Listener>();
  /** What the file says, or would say once something is set. */
  #chosen: Record<string, unknown>;
  #settings: Settings;

  private constructor(path: string, chosen: Record<string, unknown>, settings: Settings) {
    this.#path = path;
    this.#chosen = chosen;
    this.#settings = settings;
  }

  /** Reads the file; a missing one means defaults. Error: `settings-invalid`, and the file stays as it is. */
  static open(dataDir: string): Result<SettingsStore> {
    const path = join(dataDir, SETTINGS_FILE_NAME);
    const text = readText(path);
    if (!text.ok) return text;
    if (text.value === null) return ok(new SettingsStore(path, {}, settingsSchema.parse({})));
    let document: unknown;
    try {
      document = JSON.parse(text.value);
    } catch (error) {
      return invalid(path, `is not JSON (${error instanceof Error ? error.message : String(error)})`);
    }
    const parsed = settingsSchema.safeParse(document);
    if (!parsed.success) return invalid(path, `has a field that cannot be used: ${describeZodError(parsed.error)}`);
    return ok(new SettingsStore(path, { ...(document as Record<string, unknown>) }, parsed.data));
  }

  get(): Settings {
    return this.#settings;
  }

  /**
   * Replaces the fields that are given, all or none. Errors: `unknown-setting`, `settings-invalid`,
   * `settings-not-written`. Nothing is written, and nobody is called, when nothing changes.
   */
  set(changes: Record<string, unknown>): Result<Settings> {
    const known = Object.keys(settingsSchema.shape);
    const unknown = Object.keys(changes).find((key) => !known.includes(key));
    if (unknown !== undefined) {
      const shown = unknown.length > 64 ? `${unknown.slice(0, 64)}…` : unknown;
      return fail(
        "unknown-setting",
        `There is no setting ${JSON.stringify(shown)}.`,
        `The settings are: ${known.join(", ")}.`,
      );
    }
    const parsed = settingsSchema.safeParse({ ...this.#settings, ...changes });
    if (!parsed.success) {
      return fail("settings-invalid", `The setting was not changed: ${describeZodError(parsed.error)}.`);
    }
    if (isDeepStrictEqual(parsed.data, this.#settings)) return ok(this.#settings);
    const keys = new Set([...Object.keys(this.#chosen), ...Object.keys(changes)]);
    const chosen = Object.fromEntries(Object.entries(parsed.data).filter(([key]) => keys.has(key)));
    try {
      writeFileAtomically(this.#path, `${JSON.stringify(chosen, null, 2)}\n`);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return fail("settings-not-written", `The settings could not be written: ${reason}.`, "Check the disk space.");
    }
    this.#chosen = chosen;
    this.#settings = parsed.data;
    for (const listener of [...this.#listeners]) listener(this.#settings);
    return ok(this.#settings);
  }

  /** Calls `listener` after each change that was written; the function returned ends that. */
  onChange(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

function readText(path: string): Result<string | null> {
  try {
    if (statSync(path).size > MAX_SETTINGS_BYTES) return invalid(path, `is larger than ${MAX_SETTINGS_BYTES} bytes`);
    // A byte order mark is what Windows editors put there; it is no part of the JSON.
    return ok(readFileSync(path, "utf8").replace(/^\uFEFF/, ""));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return ok(null);
    return invalid(path, `cannot be read (${error instanceof Error ? error.message : String(error)})`);
  }
}

function invalid(path: string, problem: string): Result<never> {
  return fail(
    "settings-invalid",
    `The settings file ${path} ${problem}.`,
    "Correct that line in a text editor, or move the file away to begin with the defaults; it was not changed.",
  );
}
