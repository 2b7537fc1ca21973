/** Facts a node must remember that nobody sets by hand, each under a name, as JSON. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { z } from "zod";

export class KvStore {
  readonly #read: StatementSync;
  readonly #write: StatementSync;
  readonly #remove: StatementSync;

  constructor(db: DatabaseSync) {
    this.#read = db.prepare("SELECT value FROM kv WHERE key = ?");
    this.#write = db.prepare(
      "INSERT INTO kv (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    );
    this.#remove = db.prepare("DELETE FROM kv WHERE key = ?");
  }

  /** The value as `schema` reads it; undefined where it was never set, or no longer fits the schema. */
  get<T>(key: string, schema: z.ZodType<T>): T | undefined {
    const text = this.#read.get(key)?.value;
    if (typeof text !== "string") return undefined;
    try {
      return schema.safeParse(JSON.parse(text)).data;
    } catch {
      return undefined;
    }
  }

  /** `value` must be a JSON value. Writes only what differs from what is there. */
  set(key: string, value: unknown): void {
    const text = JSON.stringify(value);
    if (text === undefined) throw new TypeError(`${key} is given no JSON value`);
    if (this.#read.get(key)?.value === text) return;
    this.#write.run(key, text);
  }

  delete(key: string): void {
    this.#remove.run(key);
  }
}
