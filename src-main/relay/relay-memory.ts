/** Where guests find this node at its relay, remembered so that configurations can be made while sharing is off. */
import { z } from "zod";
import { addressSchema } from "../../src-shared/net/address.ts";
import { endpointSchema } from "../../src-shared/net/endpoint.ts";
import { nodeIdSchema } from "../../src-shared/relay/control.ts";
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

  constructor(kv: KvStore) {
    this.#kv = kv;
  }

  get place(): RelayPlace | undefined {
    return this.#kv.get(KEY, placeSchema);
  }

  set place(value: RelayPlace) {
    this.#kv.set(KEY, value);
  }
}
