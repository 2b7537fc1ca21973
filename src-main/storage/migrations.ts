/**
 * The shape of the database, as the ordered list of steps that lead to it. `PRAGMA user_version` holds
 * how many of them a file has seen. A step that was released is never changed; a new one is appended.
 */
import type { DatabaseSync } from "node:sqlite";
import { inTransaction } from "./transaction.ts";

export type Migration = (db: DatabaseSync) => void;

export const MIGRATIONS: readonly Migration[] = [clientsAndFacts, guestLogs, clientLimits, healthRecords];

/** Runs the steps that are missing, each in a transaction of its own with its version. Throws what SQLite throws. */
export function migrate(db: DatabaseSync, migrations: readonly Migration[] = MIGRATIONS): void {
  for (let version = schemaVersionOf(db); version < migrations.length; version++) {
    inTransaction(db, () => {
      migrations[version]?.(db);
      db.exec(`PRAGMA user_version = ${version + 1}`);
    });
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

/**
 * What is kept about guests. `exact` rows still hold whole addresses; `usage_marks` is how much of a client's totals is in
 * `usage_days` already, so that a crash counts nothing twice.
 */
function guestLogs(db: DatabaseSync): void {
  db.exec(`
    CREATE TABLE connection_log (
      id INTEGER PRIMARY KEY,
      ended_at INTEGER NOT NULL,
      client TEXT NOT NULL,
      destination TEXT NOT NULL,
      port INTEGER,
      protocol TEXT NOT NULL,
      sent_bytes INTEGER,
      sent_packets INTEGER,
      received_bytes INTEGER,
      received_packets INTEGER,
      duration_s INTEGER,
      exact INTEGER NOT NULL CHECK (exact IN (0, 1))
    ) STRICT;
    CREATE INDEX connection_log_time ON connection_log (ended_at);
    CREATE INDEX connection_log_exact ON connection_log (id) WHERE exact = 1;
    CREATE TABLE dns_log (
      id INTEGER PRIMARY KEY,
      at INTEGER NOT NULL,
      client TEXT NOT NULL,
      name TEXT NOT NULL,
      type TEXT NOT NULL,
      exact INTEGER NOT NULL CHECK (exact IN (0, 1))
    ) STRICT;
    CREATE INDEX dns_log_time ON dns_log (at);
    CREATE INDEX dns_log_exact ON dns_log (id) WHERE exact = 1;
    CREATE TABLE traffic_log (
      id INTEGER PRIMARY KEY,
      minute INTEGER NOT NULL,
      client TEXT NOT NULL,
      sent_bytes INTEGER NOT NULL,
      received_bytes INTEGER NOT NULL,
      sent_packets INTEGER,
      received_packets INTEGER,
      UNIQUE (minute, client)
    ) STRICT;
    CREATE TABLE usage_days (
      id INTEGER PRIMARY KEY,
      day TEXT NOT NULL,
      client TEXT NOT NULL,
      rx_bytes INTEGER NOT NULL,
      tx_bytes INTEGER NOT NULL,
      UNIQUE (day, client)
    ) STRICT;
    CREATE TABLE usage_marks (
      client TEXT PRIMARY KEY,
      rx_bytes INTEGER NOT NULL,
      tx_bytes INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    INSERT INTO usage_marks (client, rx_bytes, tx_bytes) SELECT id, rx_bytes, tx_bytes FROM clients;
  `);
}

/** `base_bytes` is a client's total of both directions when the month of its quota, `period`, began. */
function clientLimits(db: DatabaseSync): void {
  db.exec(`
    CREATE TABLE client_limits (
      client_id TEXT PRIMARY KEY,
      limit_json TEXT NOT NULL,
      period TEXT,
      base_bytes INTEGER NOT NULL CHECK (base_bytes >= 0)
    ) STRICT;
  `);
}

/** `error` is JSON with code, message and hint, without names and addresses; `day` is in the machine's time zone. */
function healthRecords(db: DatabaseSync): void {
  db.exec(`
    CREATE TABLE health_events (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      at INTEGER NOT NULL,
      kind TEXT NOT NULL,
      fact TEXT,
      error TEXT,
      step TEXT,
      attempt INTEGER,
      duration_ms INTEGER
    ) STRICT;
    CREATE INDEX health_events_time ON health_events (at);
    CREATE TABLE uptime_days (
      day TEXT PRIMARY KEY,
      wanted_ms INTEGER NOT NULL CHECK (wanted_ms >= 0),
      working_ms INTEGER NOT NULL CHECK (working_ms >= 0)
    ) STRICT, WITHOUT ROWID;
  `);
}
