/**
 * What a server remembers across restarts (SQLite, WAL): which UDP port belongs to which node, and which
 * source addresses were proven a moment ago, as keyed hashes, and the key of the addresses that nodes keep for us.
 */
import { createHmac, randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { fail, ok, type Result } from "../src-shared/result.ts";

const SCHEMA_VERSION = 1;
/** Cap on remembered proofs; 16 bytes each, so about 4 MiB with the index. */
const MAX_PROOFS = 65_536;
const PROOF_BYTES = 16;

export interface PortRange {
  readonly portMin: number;
  readonly portMax: number;
}

/** Prepared once: a statement holds native memory that the garbage collector does not see. */
function prepareAll(database: DatabaseSync) {
  const prepare = (sql: string): StatementSync => database.prepare(sql);
  return {
    portOf: prepare("SELECT port FROM ports WHERE node = ?"),
    nodeAt: prepare("SELECT node FROM ports WHERE port = ?"),
    seen: prepare("UPDATE ports SET seen_ms = ? WHERE node = ?"),
    oldest: prepare("SELECT node, port FROM ports WHERE port BETWEEN ? AND ? ORDER BY seen_ms"),
    release: prepare("DELETE FROM ports WHERE port = ? OR node = ?"),
    claim: prepare("INSERT INTO ports (node, port, seen_ms) VALUES (?, ?, ?)"),
    isProven: prepare("SELECT 1 FROM proofs WHERE hash = ? AND until_ms > ?"),
    prove: prepare(
      "INSERT INTO proofs (hash, until_ms) VALUES (?, ?) ON CONFLICT (hash) DO UPDATE SET until_ms = excluded.until_ms",
    ),
    forgetEnded: prepare("DELETE FROM proofs WHERE until_ms <= ?"),
    forgetMost: prepare(
      "DELETE FROM proofs WHERE hash IN (SELECT hash FROM proofs ORDER BY until_ms DESC LIMIT -1 OFFSET ?)",
    ),
  };
}

/** 32 bytes, the same from now on. */
function secret(database: DatabaseSync, name: string): Buffer {
  database.prepare("INSERT OR IGNORE INTO secrets (name, value) VALUES (?, ?)").run(name, randomBytes(32));
  const row = database.prepare("SELECT value FROM secrets WHERE name = ?").get(name) as { value: Uint8Array };
  return Buffer.from(row.value);
}

export class Store {
  #database: DatabaseSync;
  #statements: ReturnType<typeof prepareAll>;
  #proofKey: Buffer;
  /** 32 bytes, for AddressSealer. */
  readonly sealKey: Buffer;

  private constructor(database: DatabaseSync, proofKey: Buffer, sealKey: Buffer) {
    this.#database = database;
    this.#statements = prepareAll(database);
    this.#proofKey = proofKey;
    this.sealKey = sealKey;
  }

  /** Opens or creates `bosonserver.db` in `dataDir`. Fails with `store-unusable` or `store-newer`. */
  static open(dataDir: string): Result<Store> {
    const path = join(dataDir, "bosonserver.db");
    let database: DatabaseSync;
    try {
      mkdirSync(dataDir, { recursive: true, mode: 0o700 });
      // Not imported: an older Node, which lacks it, would end the program before it can say which one it needs.
      database = new (process.getBuiltinModule("node:sqlite").DatabaseSync)(path);
      database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 2000;");
      const version = (database.prepare("PRAGMA user_version").get() as { user_version: number }).user_version;
      if (version > SCHEMA_VERSION) {
        database.close();
        return fail("store-newer", `${path} was written by a newer version`, "Install that version again.");
      }
      database.exec(`
        CREATE TABLE IF NOT EXISTS ports (node TEXT PRIMARY KEY, port INTEGER NOT NULL UNIQUE, seen_ms INTEGER NOT NULL) STRICT;
        CREATE TABLE IF NOT EXISTS proofs (hash BLOB PRIMARY KEY, until_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
        PRAGMA user_version = ${SCHEMA_VERSION};
      `);
      return ok(new Store(database, secret(database, "proof-key"), secret(database, "seal-key")));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return fail("store-unusable", `cannot use ${path}: ${message}`, "Check that the data directory can be written.");
    }
  }

  /** The port remembered for a node. */
  portOf(node: string): number | undefined {
    return (this.#statements.portOf.get(node) as { port: number } | undefined)?.port;
  }

  nodeAt(port: number): string | undefined {
    return (this.#statements.nodeAt.get(port) as { node: string } | undefined)?.node;
  }

  /**
   * The node's port within `range`: the one it had, else a free one, else that of the node not seen for
   * longest, unless `isBusy` says that one is in use. Fails with `ports-exhausted`.
   * @param nowMs wall clock, for the age of entries
   */
  claimPort(node: string, range: PortRange, isBusy: (node: string) => boolean, nowMs: number): Result<number> {
    const had = this.portOf(node);
    if (had !== undefined && had >= range.portMin && had <= range.portMax) {
      this.#statements.seen.run(nowMs, node);
      return ok(had);
    }
    const free = this.#freePort(node, range) ?? this.#oldestPort(range, isBusy);
    if (free === undefined) {
      return fail("ports-exhausted", "no UDP port is left for another node", "Widen udp.portMin to udp.portMax.");
    }
    this.setPort(node, free, nowMs);
    return ok(free);
  }

  /** Records that `port` is the node's, taking it from whoever had it. */
  setPort(node: string, port: number, nowMs: number): void {
    this.#statements.release.run(port, node);
    this.#statements.claim.run(node, port, nowMs);
  }

  /** Hashes under a key that all instances of a cluster share, so that they know each other's proofs. */
  useProofKey(key: Buffer): void {
    this.#proofKey = key;
  }

  /** The keyed hash under which a source address (with its port) at a node is remembered. */
  proofHash(node: string, source: string): Buffer {
    return createHmac("sha256", this.#proofKey).update(`${node}\n${source}`).digest().subarray(0, PROOF_BYTES);
  }

  isProven(hash: Buffer, nowMs: number): boolean {
    return this.#statements.isProven.get(hash, nowMs) !== undefined;
  }

  /**
   * Remembers proofs until `untilMs` and forgets those that ended; all of it or nothing. Error: `store-not-written`, such as
   * for a disk that is full.
   */
  addProofs(hashes: readonly Buffer[], untilMs: number, nowMs: number): Result<void> {
    const { prove, forgetEnded, forgetMost } = this.#statements;
    try {
      this.#database.exec("BEGIN");
      for (const hash of hashes) prove.run(hash, untilMs);
      forgetEnded.run(nowMs);
      forgetMost.run(MAX_PROOFS);
      this.#database.exec("COMMIT");
      return ok(undefined);
    } catch (error) {
      if (this.#database.isOpen && this.#database.isTransaction) this.#database.exec("ROLLBACK");
      return fail("store-not-written", `proofs were not written: ${error instanceof Error ? error.message : error}`);
    }
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #freePort(node: string, { portMin, portMax }: PortRange): number | undefined {
    const size = portMax - portMin + 1;
    // Starting at a place of the node's own spreads ports, so that losing the file rarely moves anyone.
    const start = createHmac("sha256", "port").update(node).digest().readUInt32BE(0) % size;
    for (let step = 0; step < size; step++) {
      const port = portMin + ((start + step) % size);
      if (this.nodeAt(port) === undefined) return port;
    }
    return undefined;
  }

  #oldestPort({ portMin, portMax }: PortRange, isBusy: (node: string) => boolean): number | undefined {
    const rows = this.#statements.oldest.all(portMin, portMax) as { node: string; port: number }[];
    return rows.find(({ node }) => !isBusy(node))?.port;
  }
}
