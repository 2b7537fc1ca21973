/** What the node shares and how guests are to reach it, as far as the look from outside depends on it. */
import type { PortMappingState } from "../../src-shared/model/port-mapping.ts";
import { parseAddress } from "../../src-shared/net/address.ts";
import type { Endpoint } from "../../src-shared/net/endpoint.ts";
import type { NatEvidence } from "./classify-path.ts";
import type { OutsideView } from "./outside.ts";
import type { Proof } from "./reasons.ts";

/** What the rest of the node knows at present. */
export interface Sharing {
  /** The node's WireGuard public key. */
  readonly publicKey: string;
  readonly listenPort: number;
  /** This machine's IPv4 address on its uplink, and the gateway there. */
  readonly local: string | null;
  readonly gateway: string | null;
  readonly hasIpv6: boolean;
  /** Where guests reach this machine over IPv6, if they do; null without a global address. */
  readonly ipv6: Endpoint | null;
  /** Whether the router has opened its IPv6 firewall for it. */
  readonly isPinholeOpen: boolean;
  /** What the owner said guests are to use; null where that is left to the node. */
  readonly ownEndpoint: Endpoint | null;
  readonly mapping: PortMappingState;
  /** Whether the settings name a relay that could be asked. */
  readonly hasRelays: boolean;
}

/** What a look depends on: times and leases are none of it. */
export function subjectOf({ mapping, ...rest }: Sharing, view: OutsideView | undefined): unknown {
  const granted = mapping.state === "mapped" ? [mapping.protocol, mapping.external] : null;
  const refused = mapping.state === "unavailable" ? mapping.reason.code : null;
  return { ...rest, state: mapping.state, granted, refused, view };
}

/** The port guests send to. */
export function portOf({ ownEndpoint, mapping, listenPort }: Sharing, behind: Endpoint | undefined): number {
  if (ownEndpoint !== null) return ownEndpoint.port;
  if (behind !== undefined) return behind.port;
  return mapping.state === "mapped" ? mapping.external.port : listenPort;
}

/** What is known of the way, for whoever judges which NATs stand in it. */
export function evidenceOf(
  sharing: Sharing,
  view: OutsideView | undefined,
  found: { hops: readonly (string | null)[]; seenByStun: string | null; proof: Proof; behind: boolean },
): NatEvidence {
  const { mapping, local, gateway, hasIpv6, listenPort } = sharing;
  return {
    local,
    gateway,
    router: mapping.state === "mapped" ? { protocol: mapping.protocol, externalAddress: mapping.external.host } : null,
    saysNoPublicAddress: mapping.state === "unavailable" && mapping.reason.code === "no-public-address",
    seen: found.seenByStun ?? ipv4(view?.seen),
    hops: found.hops,
    isMappedBehind: found.behind,
    proof: found.proof.state === "none" ? null : found.proof.state,
    port: listenPort,
    hasIpv6,
    relayed: view !== undefined,
  };
}

/** 4 for what is no address. */
export function familyOf(text: string | null): 4 | 6 {
  return (text === null ? undefined : parseAddress(text)?.family) ?? 4;
}

/** The text where it is an IPv4 address, otherwise null. */
export function ipv4(text: string | null | undefined): string | null {
  return text !== null && text !== undefined && parseAddress(text)?.family === 4 ? text : null;
}
