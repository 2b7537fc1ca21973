/** The rows about guests in the database: written, anonymised and deleted here, and nowhere else. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Stored, StoredKind } from "../../src-shared/model/privacy.ts";
import { anonymiseDnsName, anonymiseIdentifier } from "../../src-shared/net/anonymise.ts";
import { inTransaction } from "../storage/transaction.ts";

/** `null` where the kernel did not count. */
export interface ConnectionRow {
  endedAtMs: number;
  client: string;
  destination: string;
  port: number | null;
  protocol: string;
  sent: { bytes: number; packets: number } | null;
  received: { bytes: number; packets: number } | null;
  durationSeconds: number | null;
}

export interface DnsRow {
  atMs: number;
  client: string;
  name: string;
  type: string;
}

/** Tables whose rows expire, with the column that says when they are from. */
const LOGS = {
  connections: { table: "connection_log", time: "ended_at" },
  dns: { table: "dns_log", time: "at" },
  traffic: { table: "traffic_log", time: "minute" },
} as const;

/** Rows changed in one go: some 20 ms, after which others get their turn. */
const CHUNK_ROWS = 5_000;

/** Names as one column holds them are short; what a guest sends is not trusted to be. */
const MAX_NAME_CHARACTERS = 255;
const MAX_TYPE_CHARACTERS = 32;

export class GuestLog {
  readonly #db: DatabaseSync;
  readonly #insertConnection: StatementSync;
  readonly #insertDns: StatementSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    db.function("anonymise_identifier", { deterministic: true }, (text) => anonymiseIdentifier(String(text)));
    db.function("anonymise_dns_name", { deterministic: true }, (text) => anonymiseDnsName(String(text)));
    this.#insertConnection = db.prepare(
      `INSERT INTO connection_log (ended_at, client, destination, port, protocol, sent_bytes, sent_packets, received_bytes,
         received_packets, duration_s, exact) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#insertDns = db.prepare("INSERT INTO dns_log (at, client, name, type, exact) VALUES (?, ?, ?, ?, ?)");
  }

  /** Writes rows in one transaction, as they are; `exact` says whether they hold whole addresses. Throws what SQLite throws. */
  addConnections(rows: readonly ConnectionRow[], exact: boolean): void {
    inTransaction(this.#db, () => {
      for (const row of rows) {
        this.#insertConnection.run(
          row.endedAtMs,
          row.client,
          row.destination,
          row.port,
          row.protocol,
          row.sent?.bytes ?? null,
          row.sent?.packets ?? null,
          row.received?.bytes ?? null,
          row.received?.packets ?? null,
          row.durationSeconds,
          exact ? 1 : 0,
        );
      }
    });
  }

  addDns(rows: readonly DnsRow[], exact: boolean): void {
    inTransaction(this.#db, () => {
      for (const { atMs, client, name, type } of rows) {
        const shownType = type.slice(0, MAX_TYPE_CHARACTERS);
        this.#insertDns.run(atMs, client, name.slice(0, MAX_NAME_CHARACTERS), shownType, exact ? 1 : 0);
      }
    });
  }

  /** Takes whole addresses out of at most `CHUNK_ROWS` rows of each kind; true while there may be more. */
  anonymiseChunk(): boolean {
    const connections = this.#db
      .prepare(
        `UPDATE connection_log SET destination = anonymise_identifier(destination), client = anonymise_identifier(client), exact = 0
         WHERE id IN (SELECT id FROM connection_log WHERE exact = 1 LIMIT ${CHUNK_ROWS})`,
      )
      .run();
    const dns = this.#db
      .prepare(
        `UPDATE dns_log SET name = anonymise_dns_name(name), client = anonymise_identifier(client), exact = 0
         WHERE id IN (SELECT id FROM dns_log WHERE exact = 1 LIMIT ${CHUNK_ROWS})`,
      )
      .run();
    return connections.changes === CHUNK_ROWS || dns.changes === CHUNK_ROWS;
  }

  hasExactRows(): boolean {
    const sql =
      "SELECT EXISTS (SELECT 1 FROM connection_log WHERE exact = 1) OR EXISTS (SELECT 1 FROM dns_log WHERE exact = 1) AS found";
    return this.#db.prepare(sql).get()?.found === 1;
  }

  /** Whether something is older than `beforeMs`, or there are more rows of a kind than `maxRows`. */
  hasExpired(beforeMs: number, maxRows: number): boolean {
    return Object.values(LOGS).some(({ table, time }) => {
      const old = this.#db.prepare(`SELECT EXISTS (SELECT 1 FROM ${table} WHERE ${time} < ?) AS found`).get(beforeMs);
      return old?.found === 1 || this.#countOf(table) > maxRows;
    });
  }

  /** Deletes at most `CHUNK_ROWS` rows of each kind, the oldest first: older than `beforeMs`, or beyond `maxRows`. True while there may be more. */
  deleteChunk(beforeMs: number, maxRows: number): boolean {
    let more = false;
    for (const { table, time } of Object.values(LOGS)) {
      const surplus = Math.min(Math.max(0, this.#countOf(table) - maxRows), CHUNK_ROWS);
      const expired = `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} WHERE ${time} < ? ORDER BY ${time} LIMIT ${CHUNK_ROWS})`;
      const oldest = `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} ORDER BY ${time} LIMIT ?)`;
      const { changes } = this.#db.prepare(expired).run(beforeMs);
      const trimmed = surplus > Number(changes) ? this.#db.prepare(oldest).run(surplus - Number(changes)).changes : 0;
      more ||= Number(changes) + Number(trimmed) >= CHUNK_ROWS;
    }
    return more;
  }

  /**
   * After a deletion, or after addresses were taken out: nothing of the old pages stays in the write-ahead log. Freed pages of the
   * database itself are overwritten at once (`secure_delete`).
   */
  checkpoint(): void {
    this.#db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  /** Gives freed pages back to the disk; what is left is rewritten. For when little is left. */
  shrink(): void {
    // The copy that VACUUM makes must not lie in a folder for temporary files.
    this.#db.exec("PRAGMA temp_store = MEMORY");
    this.#db.exec("VACUUM");
    this.checkpoint();
  }

  stored(): Stored {
    const pages = Number(this.#db.prepare("PRAGMA page_count").get()?.page_count ?? 0);
    const pageBytes = Number(this.#db.prepare("PRAGMA page_size").get()?.page_size ?? 0);
    return {
      connections: this.#storedKind(LOGS.connections.table, LOGS.connections.time),
      dns: this.#storedKind(LOGS.dns.table, LOGS.dns.time),
      traffic: this.#storedKind(LOGS.traffic.table, LOGS.traffic.time),
      usageDays: this.#storedKind("usage_days", "day"),
      databaseBytes: pages * pageBytes,
    };
  }

  #countOf(table: string): number {
    return Number(this.#db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n ?? 0);
  }

  #storedKind(table: string, time: string): StoredKind {
    const row = this.#db
      .prepare(`SELECT count(*) AS n, min(${time}) AS oldest, max(${time}) AS newest FROM ${table}`)
      .get();
    const size = this.#db
      .prepare(
        "SELECT sum(pgsize) AS bytes FROM dbstat WHERE name IN (SELECT name FROM sqlite_schema WHERE tbl_name = ?)",
      )
      .get(table);
    const count = Number(row?.n ?? 0);
    return {
      count,
      // An empty table still has a page, which holds nothing.
      bytes: count === 0 ? 0 : Number(size?.bytes ?? 0),
      oldestAt: timestamp(row?.oldest),
      newestAt: timestamp(row?.newest),
    };
  }
}

/** Milliseconds since the epoch, or a date without time, as RFC 3339. */
function timestamp(value: unknown): string | null {
  return typeof value === "number" || typeof value === "string" ? new Date(value).toISOString() : null;
}
