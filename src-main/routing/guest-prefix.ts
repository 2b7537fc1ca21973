/** Which addresses the guest network has: such as nothing on this machine uses, and the same from one start to the next. */
import type { Settings } from "../../src-shared/model/settings.ts";
import {
  addressAt,
  containsPrefix,
  formatPrefix,
  type Prefix,
  parsePrefix,
  prefix,
} from "../../src-shared/net/address.ts";
import { UNIQUE_LOCAL_IPV6 } from "../../src-shared/net/special-prefixes.ts";
import { isUsableGuestPrefix } from "../../src-shared/network-spec.ts";
import { fail, type HiggsError, ok, type Result } from "../../src-shared/result.ts";
import type { SeenNetworks } from "./default-routes.ts";
import { type Conflict, conflictsWith } from "./network-route-manager.ts";

export interface GuestPrefixChoice {
  readonly ipv4: string;
  readonly ipv6: string | null;
  /** To be kept, and handed in as `stored` the next time. */
  readonly remember: StoredPrefixes;
  /** `guest-prefix-changed` where configurations given out before no longer fit. */
  readonly notes: readonly HiggsError[];
}

/** What an earlier start chose; the unique local prefix stays the node's own also while it is not in use. */
export interface StoredPrefixes {
  readonly ipv4?: string | undefined;
  readonly ula?: string | undefined;
}

export interface GuestPrefixQuestion {
  settings: Pick<Settings, "guestIpv4" | "guestIpv6">;
  /** Without links and routes nothing is in the way. */
  observation: SeenNetworks;
  ownInterface: string;
  stored: StoredPrefixes;
  random: RandomBytes;
}

/** Gives so many unpredictable bytes. */
type RandomBytes = (count: number) => Uint8Array;
type Conflicts = (candidate: Prefix) => Conflict[];

/** As documented: room for as many clients as a home node can serve, out of which nobody grows. */
const AUTO_LENGTH = 16;

/** 10.66 first, as documented, then on from there; the space of home routers (192.168) is left alone. */
const AUTO_IPV4: readonly Prefix[] = [
  ...every16(prefix("10.0.0.0/8"), 66, 256),
  ...every16(prefix("10.0.0.0/8"), 0, 66),
  ...every16(prefix("172.16.0.0/12"), 0, 16),
  ...every16(prefix("100.64.0.0/10"), 0, 64),
];

/** A route to the whole of fd00::/8 or more is how a VPN covers networks it does not know; a random /48 is not among these. */
const ULA_ROUTE_IGNORED_UP_TO_LENGTH = 16;

/** Two random prefixes in a row that are taken would be a miracle (RFC 4193, section 3.2.3); this only bounds the loop. */
const ULA_TRIES = 8;

/** Errors: `prefix-conflict` for a prefix that the owner has set, `no-free-prefix` for `auto`. */
export function chooseGuestPrefixes(question: GuestPrefixQuestion): Result<GuestPrefixChoice> {
  const { settings, observation, ownInterface, stored, random } = question;
  const conflictsOf: Conflicts = (candidate) => conflictsWith(candidate, observation, ownInterface);
  const ipv4 = chooseIpv4(settings.guestIpv4, stored.ipv4, conflictsOf);
  if (!ipv4.ok) return ipv4;
  const ula =
    settings.guestIpv6 === "auto" ? freeUla(stored.ula, conflictsOf, random) : ok(storedUla(stored.ula, random));
  if (!ula.ok) return ula;
  const ipv6 = chooseIpv6(settings.guestIpv6, ula.value, conflictsOf);
  if (!ipv6.ok) return ipv6;
  const remember = { ipv4: ipv4.value, ula: formatPrefix(ula.value) };
  const notes = [changed(stored.ipv4, remember.ipv4), changed(stored.ula, remember.ula)].flat();
  return ok({ ipv4: ipv4.value, ipv6: ipv6.value, remember, notes });
}

function chooseIpv4(setting: string, stored: string | undefined, conflictsOf: Conflicts): Result<string> {
  if (setting !== "auto") return explicit(setting, "guestIpv4", conflictsOf);
  const kept = parsePrefix(stored ?? "");
  const candidates =
    kept !== undefined && kept.family === 4 && isUsableGuestPrefix(kept) ? [kept, ...AUTO_IPV4] : AUTO_IPV4;
  const free = candidates.find((candidate) => conflictsOf(candidate).length === 0);
  if (free !== undefined) return ok(formatPrefix(free));
  return fail(
    "no-free-prefix",
    "Every private IPv4 network that could be the guests' is used by a route of this machine.",
    "Another VPN probably routes all private addresses: stop it, or set guestIpv4 to a network it leaves out.",
  );
}

function chooseIpv6(setting: string, ula: Prefix, conflictsOf: Conflicts): Result<string | null> {
  if (setting === "off") return ok(null);
  return setting === "auto" ? ok(formatPrefix(ula)) : explicit(setting, "guestIpv6", conflictsOf);
}

function freeUla(stored: string | undefined, conflictsOf: Conflicts, random: RandomBytes): Result<Prefix> {
  let candidate = storedUla(stored, random);
  for (let tried = 0; tried < ULA_TRIES; tried++) {
    const conflicts = conflictsOf(candidate);
    if (conflicts.every((conflict) => conflict.prefix.length <= ULA_ROUTE_IGNORED_UP_TO_LENGTH)) return ok(candidate);
    candidate = randomUla(random);
  }
  return fail("no-free-prefix", "No unique local IPv6 network is free for the guests.", "Set guestIpv6 to off.");
}

function storedUla(stored: string | undefined, random: RandomBytes): Prefix {
  const kept = parsePrefix(stored ?? "");
  const isOurs = kept !== undefined && isUsableGuestPrefix(kept) && containsPrefix(UNIQUE_LOCAL_IPV6, kept);
  return isOurs ? kept : randomUla(random);
}

function explicit(text: string, name: string, conflictsOf: Conflicts): Result<string> {
  const parsed = parsePrefix(text);
  const [conflict] = parsed === undefined ? [] : conflictsOf(parsed);
  if (conflict === undefined) return ok(text);
  const where = conflict.interfaceName === null ? "" : ` on ${conflict.interfaceName}`;
  return fail(
    "prefix-conflict",
    `The guest network ${text} overlaps ${formatPrefix(conflict.prefix)}${where}, which this machine uses already.`,
    `Set ${name} to another network, or to auto.`,
  );
}

/** `fd`, 40 random bits, subnet 0 (RFC 4193, section 3.2.2). */
function randomUla(random: RandomBytes): Prefix {
  let value = 0xfdn;
  for (const byte of random(5)) value = (value << 8n) | BigInt(byte);
  return { family: 6, value: value << 80n, length: 64 };
}

function every16(space: Prefix, from: number, to: number): Prefix[] {
  return Array.from({ length: to - from }, (_, index) => ({
    ...addressAt(space, BigInt(from + index) << 16n),
    length: AUTO_LENGTH,
  }));
}

function changed(before: string | undefined, after: string): HiggsError[] {
  if (before === undefined || before === after) return [];
  return [
    {
      code: "guest-prefix-changed",
      message: `The guest network is ${after} now, it was ${before}: configurations given out before no longer fit.`,
      hint: "Give every client its configuration again.",
    },
  ];
}
