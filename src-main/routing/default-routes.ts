/** Which routes mean "everything else", so that a prefix that is not a network somebody is in is not taken for one. */
import { type Prefix, parsePrefix, prefix } from "../../src-shared/net/address.ts";
import type { NetworkObservation, ObservedRoute } from "../../src-shared/network-observation.ts";

/** The part of an observation that tells which networks the machine is in. */
export type SeenNetworks = Pick<NetworkObservation, "links" | "routes">;

/** All global unicast IPv6 (RFC 4291, section 2.4), which some routers announce in place of a default route. */
const GLOBAL_UNICAST = prefix("2000::/3");

/** A default route, or one of the halves by which VPNs overlay it (`0.0.0.0/1`, `128.0.0.0/1`, `::/1`, `8000::/1`). */
export function isDefaultRoute(route: ObservedRoute): boolean {
  if (route.destination === "default") return true;
  const parsed = parsePrefix(route.destination);
  return parsed !== undefined && isDefaultPrefix(parsed);
}

/** The same of a prefix. */
export function isDefaultPrefix({ family, value, length }: Prefix): boolean {
  return length <= 1 || (family === 6 && length === GLOBAL_UNICAST.length && value === GLOBAL_UNICAST.value);
}

/** 0 for a plain default route; a longer prefix wins over it whatever the metrics. */
export function defaultRouteLength(route: ObservedRoute): number {
  return parsePrefix(route.destination)?.length ?? 0;
}

export function linkOf(observation: SeenNetworks, name: string) {
  return observation.links.find((link) => link.name === name);
}
