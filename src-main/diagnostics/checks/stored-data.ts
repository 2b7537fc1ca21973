/** The database as a check looks at it: read only, beside the node that has it open. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { DATABASE_FILE_NAME } from "../../storage/database.ts";
import { openSqlite } from "../../storage/sqlite.ts";

/** A check must not stop the node: its own look waits no longer than this for a writer. */
const BUSY_TIMEOUT_MS = 500;

/** Reading more than this at once would make the node stand still for a second. */
export const MAX_CHECKED_BYTES = 256 * 1024 * 1024;

export type DatabaseView = { state: "missing" } | { state: "open"; db: DatabaseSync; bytes: number };

/** Calls `look` with the database, and closes it. Throws what SQLite throws. */
export function withDatabase<T>(dataDir: string, look: (view: DatabaseView) => T): T {
  const path = join(dataDir, DATABASE_FILE_NAME);
  if (!existsSync(path)) return look({ state: "missing" });
  const db = openSqlite(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
  try {
    return look({ state: "open", db, bytes: statSync(path).size });
  } finally {
    db.close();
  }
}

export function hasTable(db: DatabaseSync, name: string): boolean {
  return db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?").get(name) !== undefined;
}

/** The first column of the first row; 0 where there is none. Throws what SQLite throws. */
export function numberOf(db: DatabaseSync, sql: string, ...values: (number | string)[]): number {
  return Number(Object.values(db.prepare(sql).get(...values) ?? {})[0] ?? 0);
}
