/**
 * Everything but a few addresses, as prefixes for AllowedIPs. A guest whose tunnel runs over the local bridge
 * must keep the bridge's own connection out of the tunnel; WireGuard clients on every platform do that with
 * plain routes once the relay's address is not among AllowedIPs.
 */
import { bitsOf, type Family, formatPrefix, parseAddress } from "../../src-shared/net/address.ts";

/** The prefixes that cover all of both families except `addresses`, in ascending order, IPv4 first. */
export function allowedIpsWithout(addresses: readonly string[]): string[] {
  const parsed = addresses.flatMap((text) => parseAddress(text) ?? []);
  return ([4, 6] as const).flatMap((family) => {
    const without = parsed.filter((address) => address.family === family).map(({ value }) => value);
    return complement(family, 0n, 0, without);
  });
}

/** Halves what holds an excluded address until nothing or only that address is left. */
function complement(family: Family, value: bigint, length: number, without: readonly bigint[]): string[] {
  if (without.length === 0) return [formatPrefix({ family, value, length })];
  const bits = bitsOf(family);
  if (length === bits) return [];
  const upperHalf = value + (1n << BigInt(bits - length - 1));
  return [
    ...complement(
      family,
      value,
      length + 1,
      without.filter((one) => one < upperHalf),
    ),
    ...complement(
      family,
      upperHalf,
      length + 1,
      without.filter((one) => one >= upperHalf),
    ),
  ];
}
