/**
 * How guests get out over IPv6: with addresses of their own where a prefix is routed to this machine, else translated to a
 * prefix it holds, else to its own address. Pure; each choice has its reason.
 */
import type { Settings } from "../../src-shared/model/settings.ts";
import { containsPrefix, formatPrefix, overlaps, type Prefix, parsePrefix } from "../../src-shared/net/address.ts";
import { isGlobalUnicast } from "../../src-shared/net/global-unicast.ts";
import type { NetworkObservation } from "../../src-shared/network-observation.ts";
import type { HiggsError } from "../../src-shared/result.ts";

export type Ipv6Choice =
  | { readonly mode: "off"; readonly reason: HiggsError }
  | { readonly mode: "routed" | "nat66"; readonly reason: string }
  | { readonly mode: "nptv6"; readonly prefix: string; readonly reason: string };

export interface Ipv6Question {
  readonly settings: Pick<Settings, "guestIpv6" | "guestIpv6Mode" | "guestIpv6Prefix">;
  /** The guests' prefix; null where they have none. */
  readonly guests: string | null;
  readonly hasUplink: boolean;
  readonly observation: Pick<NetworkObservation, "routes" | "heldPrefixes">;
}

/** Subnets of a delegated prefix that are looked at; a /48 has 65,536, and the last ones are hardly ever in use. */
const SUBNETS_TRIED = 256n;

/** Which IPv6 guests get: addresses of their own where a prefix is routed here, otherwise translated ones, or none and why. Pure. */
export function chooseIpv6({ settings, guests, hasUplink, observation }: Ipv6Question): Ipv6Choice {
  if (settings.guestIpv6 === "off") {
    return off("ipv6-switched-off", "IPv6 for guests is switched off in the settings.");
  }
  if (!hasUplink) return off("ipv6-no-uplink", "This network has no IPv6 connection to share.");
  const own = guests === null ? undefined : parsePrefix(guests);
  if (own === undefined) return off("ipv6-no-prefix", "Guests have no IPv6 prefix.");
  if (isGlobalUnicast(own)) return { mode: "routed", reason: `${guests} is routed to this computer, as you set it.` };
  if (settings.guestIpv6Mode === "nat66") return { mode: "nat66", reason: "You chose translation to one address." };
  if (settings.guestIpv6Prefix !== "auto") {
    const given = parsePrefix(settings.guestIpv6Prefix);
    const outside = given === undefined ? undefined : subnetsOf(given, own.length)[0];
    if (outside === undefined) return unfit(settings.guestIpv6Prefix, own);
    return {
      mode: "nptv6",
      prefix: formatPrefix(outside),
      reason: "You named a prefix that is routed to this computer.",
    };
  }
  const held = freeSubnet(observation, own.length);
  if (held !== undefined) {
    const reason = "A prefix was delegated to this computer, and this part of it is not in use.";
    return { mode: "nptv6", prefix: formatPrefix(held), reason };
  }
  if (settings.guestIpv6Mode === "nptv6") {
    return off(
      "ipv6-no-prefix",
      "No IPv6 prefix is routed to this computer.",
      "Name one with: higgsnode settings set guestIpv6Prefix=2001:db8:1:2::/64, or choose guestIpv6Mode=auto",
    );
  }
  return { mode: "nat66", reason: "No IPv6 prefix is routed to this computer, so guests share its address." };
}

function off(code: string, message: string, hint?: string): Ipv6Choice {
  return { mode: "off", reason: hint === undefined ? { code, message } : { code, message, hint } };
}

function unfit(given: string, own: Prefix): Ipv6Choice {
  return off(
    "ipv6-prefix-too-small",
    `The prefix ${given} has no room for the guests' own, which has a length of ${own.length}.`,
    "Name a larger one, or set guestIpv6Prefix=auto.",
  );
}

/** The last subnet of a prefix this machine holds that no route leads into. */
function freeSubnet({ routes, heldPrefixes = [] }: Ipv6Question["observation"], length: number): Prefix | undefined {
  const taken = routes
    .map(({ destination }) => parsePrefix(destination))
    .filter((route) => route !== undefined && route.family === 6 && route.length > 3)
    .filter((route) => route !== undefined);
  for (const text of heldPrefixes) {
    const held = parsePrefix(text);
    if (held === undefined || !isGlobalUnicast(held)) continue;
    // A route as wide as the delegation, or wider, is how it got here; only what lies within it is in use.
    const inUse = taken.filter((route) => containsPrefix(held, route) && route.length > held.length);
    const free = subnetsOf(held, length).find((subnet) => !inUse.some((route) => overlaps(route, subnet)));
    if (free !== undefined) return free;
  }
  return undefined;
}

/** Subnets of that length, the last first; none where the prefix is smaller. */
function subnetsOf(outer: Prefix, length: number): Prefix[] {
  if (length < outer.length) return [];
  const count = 1n << BigInt(length - outer.length);
  const size = 1n << BigInt(128 - length);
  const tried = count < SUBNETS_TRIED ? count : SUBNETS_TRIED;
  return Array.from({ length: Number(tried) }, (_, index) => ({
    family: 6,
    value: outer.value + (count - 1n - BigInt(index)) * size,
    length,
  }));
}
