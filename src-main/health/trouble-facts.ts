/** Which fact a failure of the node is about. Pure. */
import type { HealthFactCode } from "../../src-shared/model/health.ts";

/** The first whose beginning fits; whatever nobody names is something that the helper could not do. */
const BY_BEGINNING: readonly (readonly [beginning: string, fact: HealthFactCode])[] = [
  ["no-uplink", "networkRoute"],
  ["uplink-", "networkRoute"],
  ["prefix-conflict", "addressConflict"],
  ["no-free-prefix", "addressConflict"],
  ["guest-network-", "addressConflict"],
  ["clients-without-address", "addressConflict"],
  ["interface-", "wireguard"],
  ["wireguard-", "wireguard"],
  ["port-", "wireguard"],
  ["peers-", "wireguard"],
  ["forwarding", "routing"],
  ["ipv6-forwarding-", "routing"],
  ["firewall-", "nat"],
  ["nft-", "nat"],
  ["limit", "limits"],
  ["dns-", "dns"],
];

/** The fact that an error of the exit belongs to; `helper` for codes that nothing else claims, since the helper refuses with many. */
export function factOfTrouble(code: string): HealthFactCode {
  return BY_BEGINNING.find(([beginning]) => code.startsWith(beginning))?.[1] ?? "helper";
}
