/**
 * The people who may use this node. All of them are in memory and each change is one row on disk, so that
 * the work per change does not grow with their number.
 */
import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";
import { clientNameKey, clientNameSchema } from "../../src-shared/model/client.ts";
import type { Settings } from "../../src-shared/model/settings.ts";
import { parsePrefix } from "../../src-shared/net/address.ts";
import type { ObservedPeer } from "../../src-shared/network-observation.ts";
import { MAX_PEERS } from "../../src-shared/network-spec.ts";
import { describeZodError, fail, ok, type Result } from "../../src-shared/result.ts";
import { generateKeyPair, generatePresharedKey } from "../wireguard/keys.ts";
import { AddressAllocator, lastHostNumber } from "./address-allocator.ts";
import { ShownKeys } from "./client-keys.ts";
import type { ClientRecord } from "./client-record.ts";
import { ClientTable, type StoredClient } from "./client-table.ts";
import { countUsage } from "./usage.ts";

/** One peer of a spec stays free for what the node itself may want to add. */
export const MAX_CLIENTS = MAX_PEERS - 1;

/** Usage that a power cut may lose, against a write to disk at each look at the interface. */
const USAGE_FLUSH_MS = 10_000;

/** `clients`: who there is, their keys, or who is paused. `usage`: only counters and handshakes. */
export type ClientChange = "clients" | "usage";

export interface ClientRegistryOptions {
  db: DatabaseSync;
  clock: Clock;
  /** Read at each use: `keepClientKeys` and the lengths of the guest prefixes matter here. */
  settings: () => Settings;
}

export class ClientRegistry {
  readonly #table: ClientTable;
  readonly #clock: Clock;
  readonly #settings: () => Settings;
  readonly #shownKeys: ShownKeys;
  readonly #allocator: AddressAllocator;
  /** By id, the oldest client first. */
  readonly #clients: Map<string, StoredClient>;
  readonly #idByNameKey = new Map<string, string>();
  readonly #listeners = new Set<(change: ClientChange) => void>();
  readonly #unflushed = new Set<string>();
  #cancelFlush: CancelTimer | undefined;

  constructor({ db, clock, settings }: ClientRegistryOptions) {
    this.#table = new ClientTable(db);
    this.#clock = clock;
    this.#settings = settings;
    this.#shownKeys = new ShownKeys(clock);
    const clients = this.#table.all();
    this.#clients = new Map(clients.map((client) => [client.id, client]));
    for (const client of clients) this.#idByNameKey.set(clientNameKey(client.name), client.id);
    this.#allocator = new AddressAllocator(clients.map((client) => client.hostNumber));
    if (!settings().keepClientKeys) this.forgetKeptKeys();
  }

  list(): ClientRecord[] {
    return [...this.#clients.values()];
  }

  /** By name, in any case, or by id. Error: `client-unknown`. */
  find(which: string): Result<ClientRecord> {
    return this.#find(which);
  }

  /** Errors: `client-name-invalid`, `client-exists`, `client-limit`, `guest-network-full`, `clients-not-saved`. */
  add(name: string): Result<ClientRecord> {
    const parsed = clientNameSchema.safeParse(name);
    if (!parsed.success) return fail("client-name-invalid", `${describeZodError(parsed.error)}.`);
    const nameKey = clientNameKey(parsed.data);
    // A name that is another client's id would make `which` ambiguous.
    if (this.#idByNameKey.has(nameKey) || this.#clients.has(nameKey)) {
      return fail("client-exists", `There is a client named ${parsed.data} already.`, "Choose another name.");
    }
    if (this.#clients.size >= MAX_CLIENTS) {
      return fail("client-limit", `A node has at most ${MAX_CLIENTS} clients.`, "Remove one first.");
    }
    const hostNumber = this.#allocator.take(lastHostNumberOf(this.#settings()));
    if (!hostNumber.ok) return hostNumber;
    const { privateKey, publicKey } = generateKeyPair();
    const client: StoredClient = {
      id: randomUUID(),
      name: parsed.data,
      publicKey,
      presharedKey: generatePresharedKey(),
      hostNumber: hostNumber.value,
      createdAtMs: this.#clock.nowMs(),
      paused: false,
      rxBytes: 0,
      txBytes: 0,
      seenRxBytes: 0,
      seenTxBytes: 0,
      lastHandshakeAtMs: null,
    };
    const saved = this.#save(() => this.#table.insert(client, this.#kept(privateKey)));
    if (!saved.ok) {
      this.#allocator.release(client.hostNumber);
      return saved;
    }
    this.#clients.set(client.id, client);
    this.#idByNameKey.set(nameKey, client.id);
    this.#shownKeys.remember(client.id, privateKey);
    this.#tell("clients");
    return ok(client);
  }

  /** Errors: `client-unknown`, `clients-not-saved`. */
  remove(which: string): Result<ClientRecord> {
    const found = this.#find(which);
    if (!found.ok) return found;
    const client = found.value;
    const saved = this.#save(() => this.#table.delete(client.id));
    if (!saved.ok) return saved;
    this.#clients.delete(client.id);
    this.#idByNameKey.delete(clientNameKey(client.name));
    this.#unflushed.delete(client.id);
    this.#allocator.release(client.hostNumber);
    this.#shownKeys.forget(client.id);
    this.#tell("clients");
    return ok(client);
  }

  /** Takes the client's access away until `resume`. Errors: `client-unknown`, `clients-not-saved`. */
  pause(which: string): Result<ClientRecord> {
    return this.#setPaused(which, true);
  }

  resume(which: string): Result<ClientRecord> {
    return this.#setPaused(which, false);
  }

  /** New keys: the configuration given out before stops working. Errors: `client-unknown`, `clients-not-saved`. */
  rotateKey(which: string): Result<ClientRecord> {
    const found = this.#find(which);
    if (!found.ok) return found;
    const { privateKey, publicKey } = generateKeyPair();
    const presharedKey = generatePresharedKey();
    // The new key is a new peer, whose counters begin at 0.
    const client = { ...found.value, publicKey, presharedKey, seenRxBytes: 0, seenTxBytes: 0 };
    const saved = this.#save(() => this.#table.setKeys(client, this.#kept(privateKey)));
    if (!saved.ok) return saved;
    this.#clients.set(client.id, client);
    this.#shownKeys.remember(client.id, privateKey);
    this.#tell("clients");
    return ok(client);
  }

  /**
   * For ten minutes after the key was made, and for as long as it is kept where the owner asked for that
   * (`shownUntilMs` is null then). Errors: `client-unknown`, `key-forgotten`.
   */
  privateKeyOf(id: string): Result<{ privateKey: string; shownUntilMs: number | null }> {
    const client = this.#clients.get(id);
    if (client === undefined) return unknown(id);
    const kept = this.#table.privateKeyOf(id);
    if (kept !== null) return ok({ privateKey: kept, shownUntilMs: null });
    const shown = this.#shownKeys.get(id);
    if (shown !== undefined) return ok(shown);
    return fail(
      "key-forgotten",
      `The private key of ${client.name} was shown once and is not kept.`,
      `Make a new one with: higgsnode client config ${quoted(client.name)} --new-key`,
    );
  }

  /** Deletes the private keys kept on disk: to be called when the owner turns `keepClientKeys` off. */
  forgetKeptKeys(): void {
    this.#table.forgetPrivateKeys();
  }

  /**
   * Takes in what the interface counts. `observed` is ALL peers it has, empty when there is no interface:
   * a client that is not among them starts again at 0 the next time. On disk within ten seconds.
   */
  recordUsage(observed: readonly ObservedPeer[]): void {
    const peers = new Map(observed.map((peer) => [peer.publicKey, peer]));
    let changed = false;
    for (const client of this.#clients.values()) {
      const counted = countUsage(client, peers.get(client.publicKey));
      if (counted === client) continue;
      this.#clients.set(client.id, counted);
      this.#unflushed.add(client.id);
      changed = true;
    }
    if (!changed) return;
    this.#cancelFlush ??= this.#clock.after(USAGE_FLUSH_MS, () => {
      this.#cancelFlush = undefined;
      this.flush();
    });
    this.#tell("usage");
  }

  /** Writes usage to disk now. Error: `clients-not-saved`; what could not be written is tried again with the next. */
  flush(): Result<void> {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    if (this.#unflushed.size === 0) return ok(undefined);
    const clients = [...this.#unflushed].flatMap((id) => this.#clients.get(id) ?? []);
    const saved = this.#save(() => this.#table.setUsage(clients));
    if (saved.ok) this.#unflushed.clear();
    return saved;
  }

  /** Calls `listener` after each change; the function returned ends that. */
  onChange(listener: (change: ClientChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Writes what is left and forgets the keys. Idempotent; the database stays its owner's to close, after this. */
  close(): void {
    this.flush();
    this.#unflushed.clear();
    this.#shownKeys.forgetAll();
    this.#listeners.clear();
  }

  #setPaused(which: string, paused: boolean): Result<ClientRecord> {
    const found = this.#find(which);
    if (!found.ok || found.value.paused === paused) return found;
    const client = { ...found.value, paused };
    const saved = this.#save(() => this.#table.setPaused(client.id, paused));
    if (!saved.ok) return saved;
    this.#clients.set(client.id, client);
    this.#tell("clients");
    return ok(client);
  }

  #find(which: string): Result<StoredClient> {
    const id = this.#clients.has(which) ? which : this.#idByNameKey.get(clientNameKey(which));
    const client = id === undefined ? undefined : this.#clients.get(id);
    return client === undefined ? unknown(which) : ok(client);
  }

  #kept(privateKey: string): string | null {
    return this.#settings().keepClientKeys ? privateKey : null;
  }

  #save(action: () => void): Result<void> {
    try {
      action();
      return ok(undefined);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return fail("clients-not-saved", `The clients could not be saved: ${reason}.`, "Check the disk space.");
    }
  }

  #tell(change: ClientChange): void {
    for (const listener of [...this.#listeners]) listener(change);
  }
}

function unknown(which: string): Result<never> {
  const shown = which.length > 48 ? `${which.slice(0, 48)}…` : which;
  return fail(
    "client-unknown",
    `There is no client ${JSON.stringify(shown)}.`,
    "`higgsnode client list` shows who there is.",
  );
}

/** `auto` stands for the largest prefixes there are: /16 and /64. */
function lastHostNumberOf({ guestIpv4, guestIpv6 }: Settings): number {
  const ipv4Length = parsePrefix(guestIpv4)?.length ?? 16;
  const ipv6Length = parsePrefix(guestIpv6)?.length ?? 64;
  return Math.min(lastHostNumber(4, ipv4Length), lastHostNumber(6, ipv6Length));
}

/** A name as a word of a POSIX shell; names have no characters that act inside single quotes but the quote itself. */
function quoted(name: string): string {
  return /^[\w.-]+$/.test(name) ? name : `'${name.replaceAll("'", `'\\''`)}'`;
}
