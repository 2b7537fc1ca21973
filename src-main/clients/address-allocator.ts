/**
 * Which address each client has. A client has a host number that never changes; its addresses are that
 * number counted from the start of each guest prefix, so that one number serves both families.
 */
import {
  addressAt,
  bitsOf,
  type Family,
  formatAddress,
  type Prefix,
  parsePrefix,
  sizeOf,
} from "../../src-shared/net/address.ts";
import { fail, ok, type Result } from "../../src-shared/result.ts";

/** The node itself. */
const NODE_HOST_NUMBER = 1;
export const FIRST_CLIENT_HOST_NUMBER = 2;

/** The guest network as text, as NodeState and the spec carry it. */
export interface GuestPrefixes {
  readonly ipv4: string;
  readonly ipv6: string | null;
}

/** The highest host number that a prefix of this length has room for: IPv4 keeps its last address for broadcast. */
export function lastHostNumber(family: Family, length: number): number {
  const size = sizeOf({ family, value: 0n, length }) - (family === 4 ? 2n : 1n);
  return Number(size < MAX_HOST_NUMBER ? size : MAX_HOST_NUMBER);
}

/** What the largest IPv4 guest prefix (/16) has room for; a longer count would fit no IPv4 address. */
const MAX_HOST_NUMBER = 65_534n;

/** The addresses of host `n`, IPv4 first, without prefix length; undefined where one of the prefixes has no room for it. */
export function addressesOf(n: number, prefixes: GuestPrefixes): string[] | undefined {
  const texts = prefixes.ipv6 === null ? [prefixes.ipv4] : [prefixes.ipv4, prefixes.ipv6];
  const parsed = texts.map(parsePrefix).filter((prefix): prefix is Prefix => prefix !== undefined);
  const fits = parsed.every((prefix) => n >= NODE_HOST_NUMBER && n <= lastHostNumber(prefix.family, prefix.length));
  if (!fits || parsed.length !== texts.length) return undefined;
  return parsed.map((prefix) => formatAddress(addressAt(prefix, BigInt(n))));
}

/** The node's own addresses with the guest prefix length, as its interface has them. */
export function nodeAddressesOf(prefixes: GuestPrefixes): string[] {
  const lengths = [prefixes.ipv4, prefixes.ipv6].flatMap((text) => parsePrefix(text ?? "")?.length ?? []);
  return (addressesOf(NODE_HOST_NUMBER, prefixes) ?? []).map((address, index) => `${address}/${lengths[index]}`);
}

/** An address as the prefix of one host: `/32` or `/128`. */
export function hostPrefixOf(address: string): string {
  return `${address}/${bitsOf(address.includes(":") ? 6 : 4)}`;
}

/** Gives out the lowest free host number, in time that does not grow with the number of clients. */
export class AddressAllocator {
  readonly #taken: Set<number>;
  /** No number below this one is free. */
  #lowest = FIRST_CLIENT_HOST_NUMBER;

  constructor(taken: Iterable<number> = []) {
    this.#taken = new Set(taken);
  }

  /** @param last the highest number to give out. Error: `guest-network-full`. */
  take(last: number): Result<number> {
    while (this.#taken.has(this.#lowest)) this.#lowest += 1;
    if (this.#lowest > last) {
      return fail(
        "guest-network-full",
        "The guest network has no free address left.",
        "Remove a client, or set a larger guest network (guestIpv4, guestIpv6).",
      );
    }
    const n = this.#lowest;
    this.#taken.add(n);
    return ok(n);
  }

  release(n: number): void {
    if (this.#taken.delete(n) && n < this.#lowest) this.#lowest = n;
  }
}
