/** What the machine's routes say about its uplinks and the networks it is in. Readings only; nothing is changed here. */
import {
  containsPrefix,
  type Family,
  formatAddress,
  formatPrefix,
  isInAny,
  overlaps,
  type Prefix,
  parseAddress,
  parsePrefix,
  prefix,
  splitPrefix,
} from "../../src-shared/net/address.ts";
import { BLOCKED_IPV4, BLOCKED_IPV6 } from "../../src-shared/net/special-prefixes.ts";
import type { ObservedRoute } from "../../src-shared/network-observation.ts";
import { defaultRouteLength, isDefaultPrefix, isDefaultRoute, linkOf, type SeenNetworks } from "./default-routes.ts";

export interface Uplink {
  readonly interfaceName: string;
  /** Null where the uplink needs none (PPP, another VPN). */
  readonly gateway: string | null;
  /** The machine's own addresses there, those that the internet may know first, without link-local ones. */
  readonly addresses: readonly string[];
}

export interface Uplinks {
  readonly ipv4: Uplink | null;
  readonly ipv6: Uplink | null;
  /** Every interface with a default route, the chosen ones first: traffic may turn to any of them. */
  readonly all: readonly string[];
}

const LINK_LOCAL = [prefix("fe80::/10"), prefix("169.254.0.0/16")];
const LOOPBACK = [prefix("127.0.0.0/8"), prefix("::1/128")];
const MULTICAST = [prefix("224.0.0.0/4"), prefix("ff00::/8")];
const NOT_PUBLIC = [...BLOCKED_IPV4, ...BLOCKED_IPV6].map(prefix);

/**
 * A network that is reached without a gateway and is larger than these is no network of machines nearby: it is how a VPN's
 * interface takes over parts of the internet (`128.0.0.0/2`, `64.0.0.0/4`, …), and refusing it would refuse
 * guests the internet. A cable provider's neighbourhood has /18 at most, a home's IPv6 prefix /48.
 */
const LARGEST_PUBLIC_LAN = { 4: 18, 6: 48 } as const;

/** The uplink of each family by lowest metric, null where the machine has no route out or no address to go out with. */
export function readUplinks(observation: SeenNetworks, ownInterface: string): Uplinks {
  const ipv4 = routesOut(observation, ownInterface, 4);
  const ipv6 = routesOut(observation, ownInterface, 6);
  const uplinks = { ipv4: firstUplink(observation, ipv4), ipv6: firstUplink(observation, ipv6) };
  const chosen = [uplinks.ipv4, uplinks.ipv6].flatMap((uplink) => uplink?.interfaceName ?? []);
  const others = [...ipv4, ...ipv6].flatMap((route) => route.interfaceName ?? []);
  return { ...uplinks, all: [...new Set([...chosen, ...others])] };
}

/**
 * The networks that the machine is in on any other interface, in canonical form without those contained in
 * another: guests are kept out of them, also where they have public addresses, as every home with IPv6 does. Single hosts
 * that are reached without a gateway belong to them.
 */
export function onLinkPrefixes(observation: SeenNetworks, ownInterface: string): string[] {
  const fromRoutes = observation.routes
    .filter((route) => route.onLink && route.interfaceName !== ownInterface && route.interfaceName !== "lo")
    .map((route) => parsePrefix(route.destination));
  // Addresses too, for networks whose route was left out (`noprefixroute`).
  const fromAddresses = observation.links
    .filter((link) => link.name !== ownInterface && link.name !== "lo")
    .flatMap((link) => link.addresses.map(prefixOfAddress));
  const found = [...fromRoutes, ...fromAddresses].filter(
    (candidate): candidate is Prefix => candidate !== undefined && isNearby(candidate),
  );
  return withoutContained(found).map(formatPrefix);
}

/** A route or an address that keeps a prefix from being the guests'. */
export interface Conflict {
  readonly prefix: Prefix;
  readonly interfaceName: string | null;
}

/** What on this machine overlaps `candidate`: any route but default ones, any address, our own interface aside. */
export function conflictsWith(
  candidate: Prefix,
  observation: Pick<SeenNetworks, "links" | "routes">,
  ownInterface: string,
): Conflict[] {
  const routes = observation.routes.map((route) => ({
    interfaceName: route.interfaceName,
    parsed: parsePrefix(route.destination),
  }));
  const addresses = observation.links.flatMap((link) =>
    link.addresses.map((text) => ({ interfaceName: link.name, parsed: prefixOfAddress(text) })),
  );
  return [...routes, ...addresses].flatMap(({ interfaceName, parsed }) => {
    if (interfaceName === ownInterface || parsed === undefined || isDefaultPrefix(parsed)) return [];
    return overlaps(parsed, candidate) ? [{ prefix: parsed, interfaceName }] : [];
  });
}

/** Without duplicates and without prefixes that another one contains; IPv4 first, then by value. */
export function withoutContained(prefixes: readonly Prefix[]): Prefix[] {
  const sorted = [...prefixes].sort(byPosition);
  const kept: Prefix[] = [];
  for (const candidate of sorted) {
    // In this order whatever contains the candidate was the last to be kept.
    const last = kept.at(-1);
    if (last === undefined || !containsPrefix(last, candidate)) kept.push(candidate);
  }
  return kept;
}

function byPosition(a: Prefix, b: Prefix): number {
  if (a.family !== b.family) return a.family - b.family;
  if (a.value !== b.value) return a.value < b.value ? -1 : 1;
  return a.length - b.length;
}

function routesOut(observation: SeenNetworks, ownInterface: string, family: Family): ObservedRoute[] {
  return observation.routes
    .filter((route) => route.family === family && isDefaultRoute(route))
    .filter((route) => route.interfaceName !== null && route.interfaceName !== ownInterface)
    .filter((route) => route.interfaceName !== "lo")
    .sort((a, b) => rank(observation, a) - rank(observation, b) || compareRoutes(a, b));
}

/** A route over an interface that is down leads nowhere, but may be the only one for a moment. */
function rank(observation: SeenNetworks, route: ObservedRoute): number {
  return linkOf(observation, route.interfaceName ?? "")?.up === false ? 1 : 0;
}

function compareRoutes(a: ObservedRoute, b: ObservedRoute): number {
  return defaultRouteLength(b) - defaultRouteLength(a) || a.metric - b.metric;
}

function firstUplink(observation: SeenNetworks, routes: readonly ObservedRoute[]): Uplink | null {
  for (const route of routes) {
    const { interfaceName } = route;
    if (interfaceName === null) continue;
    const addresses = usableAddresses(observation, interfaceName, route.family);
    if (addresses.length > 0) return { interfaceName, gateway: route.gateway, addresses };
  }
  return null;
}

function usableAddresses(observation: SeenNetworks, interfaceName: string, family: Family): string[] {
  const addresses = (linkOf(observation, interfaceName)?.addresses ?? [])
    .map((text) => splitPrefix(text)?.address ?? parseAddress(text))
    .filter((address) => address !== undefined)
    .filter((address) => address.family === family && !isInAny(address, LINK_LOCAL));
  const isPrivate = (address: (typeof addresses)[number]) => Number(isInAny(address, NOT_PUBLIC));
  return addresses.sort((a, b) => isPrivate(a) - isPrivate(b)).map(formatAddress);
}

function isNearby(candidate: Prefix): boolean {
  // Loopback, link-local and multicast are no networks somebody is in, and refused to guests anyway.
  if (isDefaultPrefix(candidate) || isInAny(candidate, [...LOOPBACK, ...LINK_LOCAL, ...MULTICAST])) return false;
  const isPrivate = NOT_PUBLIC.some((outer) => containsPrefix(outer, candidate));
  return isPrivate || candidate.length >= LARGEST_PUBLIC_LAN[candidate.family];
}

function prefixOfAddress(text: string): Prefix | undefined {
  const address = parseAddress(text);
  if (address !== undefined) return { ...address, length: address.family === 4 ? 32 : 128 };
  return parsePrefix(text);
}
