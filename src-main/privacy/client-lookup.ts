/** Whose address an address in the guest network is. */
import { containsAddress, type Prefix, parseAddress, parsePrefix } from "../../src-shared/net/address.ts";
import type { GuestPrefixes } from "../clients/address-allocator.ts";
import type { ClientRecord } from "../clients/client-record.ts";

export interface LookupOptions {
  clients: () => readonly Pick<ClientRecord, "id" | "hostNumber">[];
  prefixes: () => GuestPrefixes;
}

export class ClientLookup {
  readonly #options: LookupOptions;
  #idByHost: Map<number, string> | undefined;
  #prefixes: Prefix[] = [];

  constructor(options: LookupOptions) {
    this.#options = options;
  }

  /** To be called when clients or the guest network have changed. */
  refresh(): void {
    this.#idByHost = undefined;
  }

  /** The client's id; the address itself where it is nobody's any more. */
  idOf(addressText: string): string {
    const idByHost = this.#read();
    const address = parseAddress(addressText);
    if (address === undefined) return addressText;
    for (const prefix of this.#prefixes) {
      if (!containsAddress(prefix, address)) continue;
      const id = idByHost.get(Number(address.value - prefix.value));
      if (id !== undefined) return id;
    }
    return addressText;
  }

  #read(): Map<number, string> {
    if (this.#idByHost !== undefined) return this.#idByHost;
    const { ipv4, ipv6 } = this.#options.prefixes();
    this.#prefixes = [ipv4, ipv6].flatMap((text) => parsePrefix(text ?? "") ?? []);
    this.#idByHost = new Map(this.#options.clients().map(({ id, hostNumber }) => [hostNumber, id]));
    return this.#idByHost;
  }
}
