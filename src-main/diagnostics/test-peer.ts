/** The peer of a self-test: in the plan for as long as the test lasts, and of no interest to the logs afterwards. */
import { formatAddress, splitPrefix } from "../../src-shared/net/address.ts";
import type { PeerSpec } from "../../src-shared/network-spec.ts";

export class TestPeer {
  #peer: PeerSpec | undefined;
  /** Of all tests of this run: connection tracking tells of a connection minutes after it has ended. */
  readonly #addresses = new Set<string>();

  /** What the plan is to let in beside the clients. */
  get peer(): PeerSpec | undefined {
    return this.#peer;
  }

  set(peer: PeerSpec | undefined): void {
    this.#peer = peer;
    for (const text of peer?.allowedIps ?? []) {
      const prefix = splitPrefix(text);
      if (prefix !== undefined) this.#addresses.add(formatAddress(prefix.address));
    }
  }

  /** Whether an address of the guest network is, or was, that of a self-test. */
  has(address: string): boolean {
    return this.#addresses.has(address);
  }
}
