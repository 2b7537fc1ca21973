/** The spec as it is really applied, and what of it can change without touching the rest. */
import { createHash } from "node:crypto";
import { type Prefix, parsePrefix, splitPrefix } from "../../src-shared/net/address.ts";
import type { NetworkSpec } from "../../src-shared/network-spec.ts";

/** Where IPv6 could not be made safe, guests get none: no address, no allowed IPs, no forwarding. */
export function effectiveSpec(spec: NetworkSpec, ipv6Failed: boolean): NetworkSpec {
  if (!ipv6Failed || spec.guests.ipv6 === null) return spec;
  const isIpv4 = (text: string) => splitPrefix(text)?.address.family === 4;
  return {
    ...spec,
    guests: { ...spec.guests, ipv6: null },
    exit: { ...spec.exit, ipv6: "off" },
    wireguard: {
      ...spec.wireguard,
      addresses: spec.wireguard.addresses.filter(isIpv4),
      peers: spec.wireguard.peers.map((peer) => ({ ...peer, allowedIps: peer.allowedIps.filter(isIpv4) })),
    },
    ...(spec.limits === undefined
      ? {}
      : {
          limits: {
            ...spec.limits,
            clients: spec.limits.clients.flatMap((client) => {
              const addresses = client.addresses.filter((text) => !text.includes(":"));
              return addresses.length === 0 ? [] : { ...client, addresses };
            }),
          },
        }),
  };
}

/** The networks that guests have their addresses from. */
export function guestPrefixes({ guests }: NetworkSpec): Prefix[] {
  return [guests.ipv4, guests.ipv6].flatMap((text) => (text === null ? [] : (parsePrefix(text) ?? [])));
}

/** What is changed without touching anything else is left out: peers, limits, and the counting of connections. */
export function withoutPeers(spec: NetworkSpec): NetworkSpec {
  return { ...withoutLimits(spec), accounting: undefined, wireguard: { ...spec.wireguard, peers: [] } };
}

/** The rest, which a change of limits leaves as it is. */
export function withoutLimits(spec: NetworkSpec): NetworkSpec {
  return { ...spec, limits: undefined };
}

/** Specs come out of one parser, so equal specs have equal text. */
export function hashOf(spec: NetworkSpec): string {
  return createHash("sha256").update(JSON.stringify(spec)).digest("hex").slice(0, 16);
}
