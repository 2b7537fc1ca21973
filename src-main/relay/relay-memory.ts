/** Where guests find this node at its relay, remembered so that configurations can be made while sharing is off. */
import { z } from "zod";
import { addressSchema } from "../../src-shared/net/address.ts";
import { endpointSchema } from "../../src-shared/net/endpoint.ts";
import { nodeIdSchema } from "../../src-shared/relay/control.ts";
import type { Logger } from "../logs/logger.ts";
import type { KvStore } from "../storage/kv-store.ts";

const KEY = "relay.place";

const placeSchema = z.object({
  /** The relay's address in its canonical form. */
  url: z.string(),
  /** Where guests send their datagrams. */
  endpoint: endpointSchema,
  nodeId: nodeIdSchema,
  /** The addresses of the relay's host: what a guest of the local bridge leaves out of its tunnel. */
  addresses: z.array(addressSchema).max(16),
});

export type RelayPlace = z.infer<typeof placeSchema>;

export class RelayMemory {
  readonly #kv: KvStore;
  readonly #logger: Logger;
  #place: RelayPlace | undefined;

  constructor(kv: KvStore, logger: Logger) {
    this.#kv = kv;
    this.#logger = logger;
    this.#place = kv.get(KEY, placeSchema);
  }

  get place(): RelayPlace | undefined {
    return this.#place;
  }

  /** A disk that is full must not keep anybody from the relay: this run remembers it all the same. */
  set place(value: RelayPlace) {
    this.#place = value;
    try {
      this.#kv.set(KEY, value);
    } catch (thrown) {
      this.#logger.warn("the relay's place could not be saved", { error: thrown });
    }
  }
}
