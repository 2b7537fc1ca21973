/** What the node remembers of itself between runs, each fact under its key in the database. */
import { z } from "zod";
import type { Logger } from "../logs/logger.ts";
import type { StoredPrefixes } from "../routing/guest-prefix.ts";
import type { KvStore } from "../storage/kv-store.ts";

const prefixesSchema = z.object({ ipv4: z.string().optional(), ula: z.string().optional() });

export class NodeFacts {
  readonly #kv: KvStore;
  readonly #logger: Logger;
  #wanted: boolean;
  #dirty: boolean;
  #prefixes: StoredPrefixes;
  #publicKey: string | undefined;

  constructor(kv: KvStore, logger: Logger) {
    this.#kv = kv;
    this.#logger = logger;
    this.#wanted = kv.get("sharing.wanted", z.boolean()) ?? false;
    this.#dirty = kv.get("network.dirty", z.boolean()) ?? false;
    this.#prefixes = kv.get("guest.prefixes", prefixesSchema) ?? {};
    this.#publicKey = kv.get("wireguard.public-key", z.string());
  }

  /** Whether the owner wants to share: survives a restart. */
  get wanted(): boolean {
    return this.#wanted;
  }

  set wanted(value: boolean) {
    this.#wanted = value;
    this.#remember("sharing.wanted", value);
  }

  /** Whether the machine's network may hold something of ours. */
  get dirty(): boolean {
    return this.#dirty;
  }

  set dirty(value: boolean) {
    this.#dirty = value;
    this.#remember("network.dirty", value);
  }

  /** The guest prefixes that were chosen last; configurations were given out with addresses of these. */
  get prefixes(): StoredPrefixes {
    return this.#prefixes;
  }

  set prefixes(value: StoredPrefixes) {
    this.#prefixes = value;
    this.#remember("guest.prefixes", value);
  }

  /** The node's WireGuard public key, as the helper told it when it last applied. */
  get publicKey(): string | undefined {
    return this.#publicKey;
  }

  set publicKey(value: string) {
    this.#publicKey = value;
    this.#remember("wireguard.public-key", value);
  }

  /** A disk that is full must not keep the owner from switching sharing off: this run goes on without its notes. */
  #remember(key: string, value: unknown): void {
    try {
      this.#kv.set(key, value);
    } catch (thrown) {
      this.#logger.warn("a fact could not be saved", { key, error: thrown });
    }
  }
}
