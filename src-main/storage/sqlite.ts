/**
 * SQLite as Node brings it. Asked for when a database is opened: an import of what an older Node lacks would end the
 * program before it can say which one it needs.
 */
import type { DatabaseSync, DatabaseSyncOptions } from "node:sqlite";

/** Opens the file at `path`, or makes it; throws as `node:sqlite` does. */
export function openSqlite(path: string, options: DatabaseSyncOptions): DatabaseSync {
  const sqlite = process.getBuiltinModule("node:sqlite");
  return new sqlite.DatabaseSync(path, options);
}
