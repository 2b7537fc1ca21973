/** What the node remembers of itself between runs, each fact under its key in the database. */
import { z } from "zod";
import type { StoredPrefixes } from "../routing/guest-prefix.ts";
import type { KvStore } from "../storage/kv-store.ts";

const prefixesSchema = z.object({ ipv4: z.string().optional(), ula: z.string().optional() });

export class NodeFacts {
  readonly #kv: KvStore;

  constructor(kv: KvStore) {
    this.#kv = kv;
  }

  /** Whether the owner wants to share: survives a restart. */
  get wanted(): boolean {
    return this.#kv.get("sharing.wanted", z.boolean()) ?? false;
  }

  set wanted(value: boolean) {
    this.#kv.set("sharing.wanted", value);
  }

  /** Whether the machine's network may hold something of ours. */
  get dirty(): boolean {
    return this.#kv.get("network.dirty", z.boolean()) ?? false;
  }

  set dirty(value: boolean) {
    this.#kv.set("network.dirty", value);
  }

  /** The guest prefixes that were chosen last; configurations were given out with addresses of these. */
  get prefixes(): StoredPrefixes {
    const { ipv4, ula } = this.#kv.get("guest.prefixes", prefixesSchema) ?? {};
    return { ...(ipv4 === undefined ? {} : { ipv4 }), ...(ula === undefined ? {} : { ula }) };
  }

  set prefixes(value: StoredPrefixes) {
    this.#kv.set("guest.prefixes", value);
  }

  /** The node's WireGuard public key, as the helper told it when it last applied. */
  get publicKey(): string | undefined {
    return this.#kv.get("wireguard.public-key", z.string());
  }

  set publicKey(value: string) {
    this.#kv.set("wireguard.public-key", value);
  }
}
