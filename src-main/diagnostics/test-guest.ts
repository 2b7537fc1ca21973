/**
 * The temporary guest, seen from the node: its address is one that no client has, the plan lets it in for as long as it
 * is needed, and it is taken away however the test ends.
 */
import type { GuestAnswer, GuestQuestion } from "../../src-shared/helper/diagnostics.ts";
import { parsePrefix } from "../../src-shared/net/address.ts";
import type { PeerSpec } from "../../src-shared/network-spec.ts";
import { fail, ok, type Result } from "../../src-shared/result.ts";
import {
  addressesOf,
  FIRST_CLIENT_HOST_NUMBER,
  type GuestPrefixes,
  hostPrefixOf,
  lastHostNumber,
} from "../clients/address-allocator.ts";
import type { HelperLink } from "../helper/helper-link.ts";

export interface TestGuestOptions {
  helper: Pick<HelperLink, "call">;
  /** Undefined while the node does not share. */
  prefixes: () => GuestPrefixes | undefined;
  takenHostNumbers: () => Iterable<number>;
  /** Has the plan let this peer in, or nobody; resolves when the kernel knows. */
  setPeer: (peer: PeerSpec | undefined) => Promise<Result<void>>;
}

export interface OpenTestGuest {
  readonly addresses: readonly string[];
  readonly implementation: "kernel" | "userspace";
  ask(question: GuestQuestion): Promise<Result<GuestAnswer>>;
}

export class TestGuest {
  readonly #options: TestGuestOptions;
  #busy = false;

  constructor(options: TestGuestOptions) {
    this.#options = options;
  }

  /**
   * Calls `use` with a guest. The second result is what its removal has left.
   * Errors: `test-guest-busy`, `not-sharing`, `guest-network-full`, and those of the helper.
   */
  async with<T>(use: (guest: OpenTestGuest) => Promise<T>): Promise<Result<{ value: T; left: string[] }>> {
    if (this.#busy) return fail("test-guest-busy", "Another test is under way.", "Wait until it has ended.");
    this.#busy = true;
    try {
      const addresses = this.#freeAddresses();
      if (!addresses.ok) return addresses;
      const opened = await this.#open(addresses.value);
      if (!opened.ok) {
        await this.#close();
        return opened;
      }
      let value: T;
      try {
        value = await use(opened.value);
      } catch (thrown) {
        await this.#close();
        throw thrown;
      }
      return ok({ value, left: await this.#close() });
    } finally {
      this.#busy = false;
    }
  }

  async #open(addresses: string[]): Promise<Result<OpenTestGuest>> {
    const { helper, setPeer } = this.#options;
    const made = await helper.call("open-test-guest", { addresses });
    if (!made.ok) return made;
    const { publicKey, implementation } = made.value;
    const known = await setPeer({ publicKey, allowedIps: addresses.map(hostPrefixOf) });
    if (!known.ok) return known;
    return ok({
      addresses,
      implementation,
      ask: (question) => helper.call("ask-test-guest", { question }),
    });
  }

  async #close(): Promise<string[]> {
    const { helper, setPeer } = this.#options;
    const closed = await helper.call("close-test-guest", {});
    const forgotten = await setPeer(undefined);
    return [
      ...(closed.ok ? closed.value.left : [closed.error.message]),
      ...(forgotten.ok ? [] : [`the guest's key in the tunnel (${forgotten.error.message})`]),
    ];
  }

  /** The last of the network: clients are given theirs from its start. */
  #freeAddresses(): Result<string[]> {
    const prefixes = this.#options.prefixes();
    if (prefixes === undefined) return fail("not-sharing", "Sharing is off.", "Turn it on: higgsnode on");
    const length = parsePrefix(prefixes.ipv4)?.length ?? 0;
    const taken = new Set(this.#options.takenHostNumbers());
    for (let n = lastHostNumber(4, length); n >= FIRST_CLIENT_HOST_NUMBER; n--) {
      const addresses = taken.has(n) ? undefined : addressesOf(n, prefixes);
      if (addresses !== undefined) return ok(addresses);
    }
    return fail("guest-network-full", "The guest network has no free address left.", "Remove a client, or enlarge it.");
  }
}
