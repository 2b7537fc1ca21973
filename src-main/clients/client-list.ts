/**
 * The clients as their owner sees them. A client of whom nothing has changed stays the same object, so that with a
 * thousand of them, few of whom are active, neither making the list nor comparing it with the last costs much.
 */
import { isDeepStrictEqual } from "node:util";
import type { Client } from "../../src-shared/model/client.ts";
import type { GuestPrefixes } from "./address-allocator.ts";
import { type ClientFacts, type ClientRecord, isConnected, toClient } from "./client-record.ts";

export interface ClientListOptions {
  readonly records: () => readonly ClientRecord[];
  readonly prefixes: () => GuestPrefixes;
  readonly nowMs: () => number;
  readonly limits: (record: ClientRecord) => NonNullable<ClientFacts["limits"]>;
  /** Rate and way of the peer with this key, where they are known. */
  readonly live: (publicKey: string) => NonNullable<ClientFacts["live"]>;
}

interface Shown {
  readonly record: ClientRecord;
  readonly facts: Required<ClientFacts>;
  readonly client: Client;
}

export class ClientList {
  readonly #options: ClientListOptions;
  #shown = new Map<string, Shown>();
  #prefixes: GuestPrefixes | undefined;
  #list: Client[] = [];

  constructor(options: ClientListOptions) {
    this.#options = options;
  }

  /** All clients, the oldest first; the same array as before where nothing has changed. */
  current(): Client[] {
    const { records, prefixes, nowMs, limits, live } = this.#options;
    const present = prefixes();
    // Other prefixes are other addresses for everybody.
    const before = isDeepStrictEqual(present, this.#prefixes) ? this.#shown : new Map<string, Shown>();
    const now = nowMs();
    const shown = new Map<string, Shown>();
    for (const record of records()) {
      const facts = { limits: limits(record), live: live(record.publicKey) };
      const last = before.get(record.id);
      const kept = last !== undefined && isSame(last, record, facts, now);
      shown.set(record.id, kept ? last : { record, facts, client: toClient(record, present, now, facts) });
    }
    const list = Array.from(shown.values(), ({ client }) => client);
    const same = list.length === this.#list.length && list.every((client, index) => client === this.#list[index]);
    this.#shown = shown;
    this.#prefixes = present;
    if (!same) this.#list = list;
    return this.#list;
  }
}

/** The registry replaces a record whenever anything in it changes. */
function isSame(
  { record: before, facts: then, client }: Shown,
  record: ClientRecord,
  now: Required<ClientFacts>,
  nowMs: number,
): boolean {
  if (before !== record || client.connected !== isConnected(record, nowMs)) return false;
  // Most clients are neither connected nor limited.
  if (client.connected && !isDeepStrictEqual(then.live, now.live)) return false;
  return (isUnlimited(then.limits) && isUnlimited(now.limits)) || isDeepStrictEqual(then.limits, now.limits);
}

function isUnlimited({ limit, quota }: Required<ClientFacts>["limits"]): boolean {
  return limit === undefined && quota === undefined;
}
