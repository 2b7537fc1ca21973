/** The clients' rows in the database: statements prepared once, rows as values. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { z } from "zod";
import { clientNameKey } from "../../src-shared/model/client.ts";
import { inTransaction } from "../storage/transaction.ts";
import type { ClientRecord } from "./client-record.ts";

/** A record with the interface counters that its totals already contain. */
export interface StoredClient extends ClientRecord {
  readonly seenRxBytes: number;
  readonly seenTxBytes: number;
}

const rowSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    public_key: z.string(),
    preshared_key: z.string(),
    host_number: z.number(),
    created_at: z.number(),
    paused: z.number(),
    rx_bytes: z.number(),
    tx_bytes: z.number(),
    seen_rx_bytes: z.number(),
    seen_tx_bytes: z.number(),
    last_handshake_at: z.number().nullable(),
  })
  .transform(
    (row): StoredClient => ({
      id: row.id,
      name: row.name,
      publicKey: row.public_key,
      presharedKey: row.preshared_key,
      hostNumber: row.host_number,
      createdAtMs: row.created_at,
      paused: row.paused === 1,
      rxBytes: row.rx_bytes,
      txBytes: row.tx_bytes,
      seenRxBytes: row.seen_rx_bytes,
      seenTxBytes: row.seen_tx_bytes,
      lastHandshakeAtMs: row.last_handshake_at,
    }),
  );

export class ClientTable {
  readonly #db: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #delete: StatementSync;
  readonly #setPaused: StatementSync;
  readonly #setKeys: StatementSync;
  readonly #setUsage: StatementSync;
  readonly #privateKey: StatementSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#insert = db.prepare(
      `INSERT INTO clients (id, name, name_key, public_key, private_key, preshared_key, host_number, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#delete = db.prepare("DELETE FROM clients WHERE id = ?");
    this.#setPaused = db.prepare("UPDATE clients SET paused = ? WHERE id = ?");
    this.#setKeys = db.prepare(
      `UPDATE clients SET public_key = ?, private_key = ?, preshared_key = ?, seen_rx_bytes = 0, seen_tx_bytes = 0
       WHERE id = ?`,
    );
    this.#setUsage = db.prepare(
      `UPDATE clients SET rx_bytes = ?, tx_bytes = ?, seen_rx_bytes = ?, seen_tx_bytes = ?, last_handshake_at = ?
       WHERE id = ?`,
    );
    this.#privateKey = db.prepare("SELECT private_key FROM clients WHERE id = ?");
  }

  /** Every client, the oldest first. */
  all(): StoredClient[] {
    const rows = this.#db.prepare("SELECT * FROM clients ORDER BY created_at, host_number").all();
    return rows.map((row) => rowSchema.parse(row));
  }

  insert(client: ClientRecord, privateKey: string | null): void {
    this.#insert.run(
      client.id,
      client.name,
      clientNameKey(client.name),
      client.publicKey,
      privateKey,
      client.presharedKey,
      client.hostNumber,
      client.createdAtMs,
    );
  }

  delete(id: string): void {
    this.#delete.run(id);
  }

  setPaused(id: string, paused: boolean): void {
    this.#setPaused.run(paused ? 1 : 0, id);
  }

  setKeys(client: ClientRecord, privateKey: string | null): void {
    this.#setKeys.run(client.publicKey, privateKey, client.presharedKey, client.id);
  }

  /** Writes totals and counters of `clients` in one transaction. */
  setUsage(clients: Iterable<StoredClient>): void {
    inTransaction(this.#db, () => {
      for (const one of clients) {
        this.#setUsage.run(one.rxBytes, one.txBytes, one.seenRxBytes, one.seenTxBytes, one.lastHandshakeAtMs, one.id);
      }
    });
  }

  privateKeyOf(id: string): string | null {
    const key = this.#privateKey.get(id)?.private_key;
    return typeof key === "string" ? key : null;
  }

  /** Deletes every kept private key; `secure_delete` and the checkpoint take them off the disk. */
  forgetPrivateKeys(): void {
    const { changes } = this.#db.prepare("UPDATE clients SET private_key = NULL WHERE private_key IS NOT NULL").run();
    if (changes !== 0) this.#db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  }
}
