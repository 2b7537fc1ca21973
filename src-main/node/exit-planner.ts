/** Machine, settings and clients → what the exit should be. Decides, and touches nothing. */

import type { LimitsSpec } from "../../src-shared/limits-spec.ts";
import type { Reach } from "../../src-shared/model/node-state.ts";
import type { Settings } from "../../src-shared/model/settings.ts";
import { formatAddress, parseAddress, splitPrefix } from "../../src-shared/net/address.ts";
import type { Endpoint } from "../../src-shared/net/endpoint.ts";
import { isPublicAddress } from "../../src-shared/net/public-address.ts";
import type { NetworkObservation } from "../../src-shared/network-observation.ts";
import type { NetworkSpec, PeerSpec, WireguardSpec } from "../../src-shared/network-spec.ts";
import { fail, type HiggsError, ok, type Result } from "../../src-shared/result.ts";
import type { GuestPrefixes } from "../clients/address-allocator.ts";
import { chooseIpv6, type Ipv6Choice } from "../ipv6/choose-ipv6.ts";
import type { PinholeWanted } from "../ipv6/ipv6-pinhole.ts";
import { pinholeWanted } from "../ipv6/pinhole-wanted.ts";
import { type Surroundings, surroundingsOf } from "../port-forwarding/home-network.ts";
import { onLinkPrefixes, readUplinks, type Uplinks } from "../routing/network-route-manager.ts";
import type { WireGuardManager } from "../wireguard/wireguard-manager.ts";
import { buildNetworkSpec } from "./network-spec-builder.ts";

export interface ExitPlan {
  spec: NetworkSpec;
  /** The node's tunnel addresses, without prefix length. */
  tunnelAddresses: string[];
  /** Interfaces that lead to the internet. */
  uplink: { ipv4: string | null; ipv6: string | null };
  reach: Reach;
  clientCount: number;
  /** How guests get out over IPv6, and why so. */
  ipv6?: Ipv6Choice;
  /** What to ask the home router for, so that guests come in over IPv6. */
  pinhole?: PinholeWanted | undefined;
  /** Why guests get no IPv6, where the plan gives them none. */
  ipv6Off: HiggsError | undefined;
  /** This machine's IPv4 address on its uplink, and the gateway there. */
  route: { local: string | null; gateway: string | null };
  /** What stands between this machine and the internet. */
  surroundings: Surroundings;
  /** What keeps this exit from serving everybody it should. */
  problems: HiggsError[];
}

export interface PlanInputs {
  settings: Settings;
  prefixes: GuestPrefixes;
  clientCount: number;
  wireguard: WireGuardManager;
  dnsPort: number;
  /** Where the router forwards guests from; undefined where it does not. */
  mapped: Endpoint | undefined;
  /** Where a handshake from outside was answered; undefined where none was. */
  proven?: Endpoint | undefined;
  /** The peer by which a relay tries whether this node can be reached. */
  probePeer?: PeerSpec | undefined;
  /** The temporary guest of a self-test. */
  testPeer?: PeerSpec | undefined;
  /** How fast guests may be, and who has no access at present by public key. */
  limits?: { limits: LimitsSpec | undefined; cutOff: ReadonlySet<string>; refusal: HiggsError | undefined };
}

/** Error: `no-uplink`. */
export function planExit(observation: NetworkObservation, inputs: PlanInputs): Result<ExitPlan> {
  const { settings, prefixes, clientCount, wireguard, dnsPort } = inputs;
  const own = wireguard.interfaceName;
  const uplinks = readUplinks(observation, own);
  if (uplinks.ipv4 === null && uplinks.ipv6 === null) {
    return fail("no-uplink", "This computer has no internet connection.", "Connect it to your router and try again.");
  }
  const surroundings = surroundingsOf(uplinks.ipv4, observation);
  const ipv6 = chooseIpv6({ settings, guests: prefixes.ipv6, hasUplink: uplinks.ipv6 !== null, observation });
  const spec = buildNetworkSpec({
    settings,
    prefixes,
    uplinks,
    onLink: onLinkPrefixes(observation, own),
    wireguard: withPeers(withoutPeers(wireguard.contribute(settings, prefixes), inputs.limits?.cutOff), [
      inputs.probePeer,
      inputs.testPeer,
    ]),
    dnsPort,
    ipv6,
    limits: inputs.limits?.limits,
  });
  return ok({
    spec,
    tunnelAddresses: spec.wireguard.addresses.flatMap((text) => {
      const parts = splitPrefix(text);
      return parts === undefined ? [] : formatAddress(parts.address);
    }),
    uplink: { ipv4: uplinks.ipv4?.interfaceName ?? null, ipv6: uplinks.ipv6?.interfaceName ?? null },
    reach: { ...reachOf(settings, uplinks, inputs), ipv6: ipv6EndpointOf(settings, uplinks) },
    route: { local: localAddress(uplinks, surroundings), gateway: uplinks.ipv4?.gateway ?? null },
    clientCount,
    ipv6,
    ipv6Off: ipv6.mode === "off" ? ipv6.reason : undefined,
    pinhole: pinholeWanted(settings, uplinks, surroundings, observation),
    surroundings,
    problems: [
      ...withoutAddress(wireguard.withoutAddress(prefixes).length),
      ...(inputs.limits?.refusal === undefined ? [] : [inputs.limits.refusal]),
    ],
  });
}

function withoutPeers(wireguard: WireguardSpec, cutOff: ReadonlySet<string> | undefined): WireguardSpec {
  if (cutOff === undefined || cutOff.size === 0) return wireguard;
  return { ...wireguard, peers: wireguard.peers.filter(({ publicKey }) => !cutOff.has(publicKey)) };
}

/** A client that has the same key by accident of a test keeps its addresses. */
function withPeers(wireguard: WireguardSpec, more: readonly (PeerSpec | undefined)[]): WireguardSpec {
  const known = new Set(wireguard.peers.map(({ publicKey }) => publicKey));
  const added = more.filter((peer) => peer !== undefined).filter(({ publicKey }) => !known.has(publicKey));
  return added.length === 0 ? wireguard : { ...wireguard, peers: [...wireguard.peers, ...added] };
}

function withoutAddress(count: number): HiggsError[] {
  if (count === 0) return [];
  return [
    {
      code: "clients-without-address",
      message: `The guest network is too small: ${count} ${count === 1 ? "client has" : "clients have"} no address in it.`,
      hint: "Choose a larger one, or auto: higgsnode settings set guestIpv4=auto",
    },
  ];
}

/**
 * The owner knows best, then whoever has tried from outside, then the router that forwards; otherwise the address of the
 * uplink, which is right where no router is in between.
 */
function reachOf(settings: Settings, uplinks: Uplinks, { mapped, proven }: PlanInputs): Reach {
  if (settings.publicEndpoint !== "auto") return { endpoint: settings.publicEndpoint, source: "owner" };
  if (proven !== undefined) return { endpoint: proven, source: "proven" };
  if (mapped !== undefined) return { endpoint: mapped, source: "mapping" };
  const host = uplinks.ipv4?.addresses[0] ?? uplinks.ipv6?.addresses[0];
  if (host === undefined) return { endpoint: null, source: "none" };
  return { endpoint: { host, port: settings.listenPort }, source: "uplink" };
}

/** The address that guests with IPv6 may reach, if the router lets them in. */
function ipv6EndpointOf({ listenPort }: Settings, { ipv6 }: Uplinks): Endpoint | null {
  const host = ipv6?.addresses.find((text) => {
    const address = parseAddress(text);
    return address !== undefined && isPublicAddress(address);
  });
  return host === undefined ? null : { host, port: listenPort };
}

/** The address on the gateway's own network, which is the one that the router knows; otherwise the first. */
function localAddress({ ipv4 }: Uplinks, surroundings: Surroundings): string | null {
  return surroundings.kind === "router" ? surroundings.network.address : (ipv4?.addresses[0] ?? null);
}
