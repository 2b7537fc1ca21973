/** Who a request comes from, where proxies stand between: X-Forwarded-For, believed from the right as far as it is ours. */
import { isInAny, type Prefix, parseAddress } from "../src-shared/net/address.ts";

/** Longest list that is looked at; a longer one is somebody's joke. */
const MAX_HOPS = 16;

/** The nearest address that is no trusted proxy; the header of an untrusted peer is not read. */
export function sourceAddress(peer: string, header: string | undefined, trusted: readonly Prefix[]): string {
  if (!isTrusted(peer, trusted) || header === undefined) return peer;
  const hops = header.split(",").slice(-MAX_HOPS);
  let nearest = peer;
  for (const hop of hops.reverse()) {
    const address = hop.trim();
    if (parseAddress(address) === undefined) return nearest;
    nearest = address;
    if (!isTrusted(address, trusted)) return address;
  }
  return nearest;
}

/** Whether a proxy at `address` is one of the operator's; an IPv4 address may be written in IPv6. */
export function isTrusted(address: string, trusted: readonly Prefix[]): boolean {
  const plain = address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
  const parsed = parseAddress(plain);
  return parsed !== undefined && isInAny(parsed, trusted);
}
