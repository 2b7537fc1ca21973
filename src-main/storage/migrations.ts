/**
 * The shape of the database, as the ordered list of steps that lead to it. `PRAGMA user_version` holds
 * how many of them a file has seen. A step that was released is never changed; a new one is appended.
 */
import type { DatabaseSync } from "node:sqlite";

export type Migration = (db: DatabaseSync) => void;

export const MIGRATIONS: readonly Migration[] = [clientsAndFacts];

/** Runs the steps that are missing, each in a transaction of its own with its version. Throws what SQLite throws. */
export function migrate(db: DatabaseSync, migrations: readonly Migration[] = MIGRATIONS): void {
  for (let version = schemaVersionOf(db); version < migrations.length; version++) {
    db.exec("BEGIN IMMEDIATE");
    try {
      migrations[version]?.(db);
      db.exec(`PRAGMA user_version = ${version + 1}`);
      db.exec("COMMIT");
    } catch (error) {
      db.exec("ROLLBACK");
      throw error;
    }
  }
}

export function schemaVersionOf(db: DatabaseSync): number {
  return Number(db.prepare("PRAGMA user_version").get()?.user_version ?? 0);
}

/**
 * `seen_*_bytes` is the interface counter that `*_bytes` already contains, so that a node that starts
 * again beside a living interface counts nothing twice.
 */
function clientsAndFacts(db: DatabaseSync): void {
  db.exec(`
    CREATE TABLE clients (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL,
      name_key TEXT NOT NULL UNIQUE,
      public_key TEXT NOT NULL UNIQUE,
      private_key TEXT,
      preshared_key TEXT NOT NULL,
      host_number INTEGER NOT NULL UNIQUE CHECK (host_number >= 2),
      created_at INTEGER NOT NULL,
      paused INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1)),
      rx_bytes INTEGER NOT NULL DEFAULT 0 CHECK (rx_bytes >= 0),
      tx_bytes INTEGER NOT NULL DEFAULT 0 CHECK (tx_bytes >= 0),
      seen_rx_bytes INTEGER NOT NULL DEFAULT 0 CHECK (seen_rx_bytes >= 0),
      seen_tx_bytes INTEGER NOT NULL DEFAULT 0 CHECK (seen_tx_bytes >= 0),
      last_handshake_at INTEGER
    ) STRICT;
    CREATE TABLE kv (
      key TEXT PRIMARY KEY,
      value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
  `);
}
