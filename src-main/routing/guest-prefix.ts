/** Which addresses the guest network has: such as nothing on this machine uses, and the same from one start to the next. */
import type { Settings } from "../../src-shared/model/settings.ts";
import { addressAt, formatPrefix, type Prefix, parsePrefix, prefix } from "../../src-shared/net/address.ts";
import type { NetworkObservation } from "../../src-shared/network-observation.ts";
import { fail, type HiggsError, ok, type Result } from "../../src-shared/result.ts";
import { type Conflict, conflictsWith } from "./network-route-manager.ts";

export interface GuestPrefixChoice {
  readonly ipv4: string;
  readonly ipv6: string | null;
  /** To be kept and handed in as `stored` the next time. */
  readonly remember: StoredPrefixes;
  /** `guest-prefix-changed` where configurations given out before no longer fit. */
  readonly notes: readonly HiggsError[];
}

export interface StoredPrefixes {
  /** Chosen by an earlier start. */
  readonly ipv4?: string;
  readonly ula?: string;
}

export interface GuestPrefixQuestion {
  settings: Pick<Settings, "guestIpv4" | "guestIpv6">;
  observation: Pick<NetworkObservation, "links" | "routes">;
  ownInterface: string;
  stored: StoredPrefixes;
  /** So many unpredictable bytes. */
  random: (count: number) => Uint8Array;
}

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
  const ipv4 = chooseIpv4(question);
  if (!ipv4.ok) return ipv4;
  const ipv6 = chooseIpv6(question);
  if (!ipv6.ok) return ipv6;
  const { stored, settings } = question;
  const remember: StoredPrefixes = {
    ...stored,
    ...(settings.guestIpv4 === "auto" ? { ipv4: ipv4.value } : {}),
    ...(settings.guestIpv6 === "auto" && ipv6.value !== null ? { ula: ipv6.value } : {}),
  };
  const notes = [changed(stored.ipv4, remember.ipv4), changed(stored.ula, remember.ula)].flat();
  return ok({ ipv4: ipv4.value, ipv6: ipv6.value, remember, notes });
}

function chooseIpv4(question: GuestPrefixQuestion): Result<string> {
  const { settings, stored } = question;
  if (settings.guestIpv4 !== "auto") return explicit(settings.guestIpv4, "guestIpv4", question);
  const kept = parsePrefix(stored.ipv4 ?? "");
  const candidates = kept?.family === 4 ? [kept, ...AUTO_IPV4] : AUTO_IPV4;
  const free = candidates.find((candidate) => conflictsOf(candidate, question).length === 0);
  if (free !== undefined) return ok(formatPrefix(free));
  return fail(
    "no-free-prefix",
    "Every private IPv4 network that could be the guests' is used by a route of this machine.",
    "Another VPN probably routes all private addresses: stop it, or set guestIpv4 to a network it leaves out.",
  );
}

function chooseIpv6(question: GuestPrefixQuestion): Result<string | null> {
  const { settings, stored, random } = question;
  if (settings.guestIpv6 === "off") return ok(null);
  if (settings.guestIpv6 !== "auto") return explicit(settings.guestIpv6, "guestIpv6", question);
  let candidate = parsePrefix(stored.ula ?? "") ?? randomUla(random);
  for (let tried = 0; tried < ULA_TRIES; tried++) {
    const conflicts = conflictsOf(candidate, question);
    if (conflicts.every((conflict) => conflict.prefix.length <= ULA_ROUTE_IGNORED_UP_TO_LENGTH)) {
      return ok(formatPrefix(candidate));
    }
    candidate = randomUla(random);
  }
  return fail("no-free-prefix", "No unique local IPv6 network is free for the guests.", "Set guestIpv6 to off.");
}

function explicit(text: string, name: string, question: GuestPrefixQuestion): Result<string> {
  const parsed = parsePrefix(text);
  const [conflict] = parsed === undefined ? [] : conflictsOf(parsed, question);
  if (conflict === undefined) return ok(text);
  const where = conflict.interfaceName === null ? "" : ` on ${conflict.interfaceName}`;
  return fail(
    "prefix-conflict",
    `The guest network ${text} overlaps ${formatPrefix(conflict.prefix)}${where}, which this machine uses already.`,
    `Set ${name} to another network, or to auto.`,
  );
}

function conflictsOf(candidate: Prefix, { observation, ownInterface }: GuestPrefixQuestion): Conflict[] {
  return conflictsWith(candidate, observation, ownInterface);
}

/** `fd`, 40 random bits, subnet 0 (RFC 4193, section 3.2.2). */
function randomUla(random: (count: number) => Uint8Array): Prefix {
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

function changed(before: string | undefined, after: string | undefined): HiggsError[] {
  if (before === undefined || before === after) return [];
  return [
    {
      code: "guest-prefix-changed",
      message: `The guest network ${before} is used by another network of this machine now; guests get ${after}.`,
      hint: "Give every client its configuration again.",
    },
  ];
}
