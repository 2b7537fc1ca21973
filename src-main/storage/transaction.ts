/** Several statements as one, on disk together or not at all. */
import type { DatabaseSync } from "node:sqlite";

/** Rethrows what `action` throws, after everything was taken back. */
export function inTransaction<T>(db: DatabaseSync, action: () => T): T {
  db.exec("BEGIN IMMEDIATE");
  try {
    const result = action();
    db.exec("COMMIT");
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}
