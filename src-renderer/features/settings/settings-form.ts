/**
 * Texts of the form's fields to and from settings. The shared schemas decide what holds; here is only how people write
 * it: one line per entry, an empty field for "by itself". Pure.
 */
import { z } from "zod";
import { type Settings, settingsSchema } from "../../../src-shared/model/settings.ts";
import { formatEndpoint } from "../../../src-shared/net/endpoint.ts";
import { isLoopbackHost, parseRelayUrl } from "../../../src-shared/net/relay-url.ts";
import { rateOf } from "../../components/mbit-text.ts";

/** As many relays, and as many places to try, as the settings hold. */
export const MAX_RELAY_SERVERS = 8;

/** A problem's key in the catalogue, with what was written where one line of several is wrong. */
export interface FieldProblem {
  readonly key:
    | "relay.serverInvalid"
    | "relay.serverPlain"
    | "relay.serverTooMany"
    | "relay.caFileInvalid"
    | "share.rateInvalid"
    | "way.listenPortInvalid"
    | "way.publicEndpointInvalid"
    | "advanced.guestIpv4Invalid"
    | "advanced.guestIpv6Invalid"
    | "advanced.guestIpv6PrefixInvalid"
    | "advanced.mtuInvalid"
    | "advanced.egressTargetInvalid"
    | "advanced.egressTargetsTooMany";
  readonly text?: string;
  /** How much would have been possible. */
  readonly max?: number;
}

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: FieldProblem };

const { shape } = settingsSchema;

function parsed<K extends keyof typeof shape>(
  key: K,
  value: unknown,
  problem: FieldProblem["key"],
): Parsed<Settings[K]> {
  const result = z.safeParse(shape[key], value);
  return result.success ? { ok: true, value: result.data as Settings[K] } : { ok: false, problem: { key: problem } };
}

/** Entries of a field with one per line; commas and spaces part them too, as people paste them. */
export function linesOf(text: string): string[] {
  return text.split(/[\s,;]+/).filter((line) => line !== "");
}

export function parseRelayServers(text: string, allowPlain: boolean): Parsed<string[]> {
  const lines = linesOf(text);
  for (const line of lines) {
    const url = parseRelayUrl(line);
    if (url === undefined) return { ok: false, problem: { key: "relay.serverInvalid", text: line } };
    if (!url.secure && !allowPlain && !isLoopbackHost(url.host)) {
      return { ok: false, problem: { key: "relay.serverPlain", text: line } };
    }
  }
  return parsed("relayServers", [...new Set(lines)], "relay.serverTooMany");
}

export function parseEgressTargets(text: string): Parsed<string[]> {
  const lines = linesOf(text);
  const wrong = lines.find((line) => !z.safeParse(shape.egressTargets, [line]).success);
  if (wrong !== undefined) return { ok: false, problem: { key: "advanced.egressTargetInvalid", text: wrong } };
  return parsed("egressTargets", [...new Set(lines)], "advanced.egressTargetsTooMany");
}

export function parseListenPort(text: string): Parsed<number> {
  return parsed("listenPort", wholeNumber(text), "way.listenPortInvalid");
}

export function parseMtu(text: string): Parsed<number> {
  return parsed("mtu", wholeNumber(text), "advanced.mtuInvalid");
}

/** Not a number where it is none, so that the schema refuses it. */
function wholeNumber(text: string): number {
  return /^[0-9]{1,6}$/.test(text.trim()) ? Number(text) : Number.NaN;
}

export function parsePublicEndpoint(text: string): Parsed<Settings["publicEndpoint"]> {
  return parsed("publicEndpoint", orAuto(text), "way.publicEndpointInvalid");
}

export function publicEndpointText(value: Settings["publicEndpoint"]): string {
  return value === "auto" ? "" : formatEndpoint(value);
}

export function parseGuestIpv4(text: string): Parsed<Settings["guestIpv4"]> {
  return parsed("guestIpv4", orAuto(text), "advanced.guestIpv4Invalid");
}

export function parseGuestIpv6Prefix(text: string): Parsed<Settings["guestIpv6Prefix"]> {
  return parsed("guestIpv6Prefix", orAuto(text), "advanced.guestIpv6PrefixInvalid");
}

/** By itself, not at all, or with a network that the owner writes into the field beside the choice. */
export type GuestIpv6Choice = "auto" | "off" | "own";

export function guestIpv6Choice(setting: Settings["guestIpv6"]): GuestIpv6Choice {
  return setting === "auto" || setting === "off" ? setting : "own";
}

export function parseGuestIpv6(choice: GuestIpv6Choice, text: string): Parsed<Settings["guestIpv6"]> {
  if (choice !== "own") return { ok: true, value: choice };
  const network = text.trim();
  if (network === "auto" || network === "off") return { ok: false, problem: { key: "advanced.guestIpv6Invalid" } };
  return parsed("guestIpv6", network, "advanced.guestIpv6Invalid");
}

/** Longer than any path on any system. */
export const MAX_PATH_CHARACTERS = 4096;

export function parseCaFile(text: string): Parsed<string> {
  const file = parsed("relayCaFile", text.trim(), "relay.caFileInvalid");
  return file.ok ? file : { ok: false, problem: { ...file.problem, max: MAX_PATH_CHARACTERS } };
}

/**
 * One direction of a pair of speeds in Mbit/s; the other comes along as it is written, and is wrong in its own field.
 * No speed in either direction is no setting at all.
 */
export function parseRatePair(
  key: "totalRate" | "uplinkRate",
  own: string,
  { down, up }: { readonly down: string; readonly up: string },
): Parsed<Settings["totalRate"]> {
  if (rateOf(own) === undefined) return { ok: false, problem: { key: "share.rateInvalid" } };
  const pair = { down: rateOf(down) ?? null, up: rateOf(up) ?? null };
  return parsed(key, pair.down === null && pair.up === null ? null : pair, "share.rateInvalid");
}

/** A parsed field as a change of the settings. */
export function asChange<K extends keyof Settings>(key: K, field: Parsed<Settings[K]>): Parsed<Partial<Settings>> {
  return field.ok ? { ok: true, value: { [key]: field.value } as Partial<Settings> } : field;
}

function orAuto(text: string): string {
  const trimmed = text.trim();
  return trimmed === "" ? "auto" : trimmed;
}

/** `auto` is an empty field. */
export function textOrEmpty(value: string): string {
  return value === "auto" ? "" : value;
}
