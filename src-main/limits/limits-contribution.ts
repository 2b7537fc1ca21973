/** From what holds for each client to the limits of the desired state: pure. */
import type { ClientLimitSpec, LimitsSpec } from "../../src-shared/limits-spec.ts";
import { MAX_RATE_BITS_PER_SECOND, MIN_RATE_BITS_PER_SECOND } from "../../src-shared/limits-spec.ts";
import { rateBits } from "../../src-shared/model/limit.ts";
import type { Settings } from "../../src-shared/model/settings.ts";
import { addressesOf, type GuestPrefixes } from "../clients/address-allocator.ts";
import type { ClientRecord } from "../clients/client-record.ts";
import type { EffectiveLimit } from "./effective-limit.ts";

/**
 * The kernel limits whole packets, people measure what is in them: headers take 2 % of a full packet over IPv4 with UDP
 * and 5 % over IPv6 with TCP. Half of that is added, so that both a speed test and an interface's counters show what
 * was asked for to within 3 %.
 */
const HEADER_ALLOWANCE = 1.025;

/**
 * Under "household first" guests together stay below the uplink by this much. What they queue then waits here and not in
 * the router, so that whoever else is at home finds its queue empty and a part of the line free.
 */
const GUEST_SHARE_OF_UPLINK = 0.8;

export interface LimitedClient {
  record: ClientRecord;
  effective: EffectiveLimit;
  priority: number | undefined;
  burstBytes: number | undefined;
}

export type LimitSettings = Pick<Settings, "totalRate" | "uplinkRate" | "householdFirst">;

/** Undefined where nobody is limited. Clients without an address in `prefixes` are left out: they get no access at all. */
export function contributeLimits(
  clients: Iterable<LimitedClient>,
  prefixes: GuestPrefixes,
  settings: LimitSettings,
): LimitsSpec | undefined {
  const down = totalOf(settings, "down");
  const up = totalOf(settings, "up");
  const total = {
    ...(down === undefined ? {} : { downBitsPerSecond: onTheWire(down) }),
    ...(up === undefined ? {} : { upBitsPerSecond: onTheWire(up) }),
  };
  const hasTotal = down !== undefined || up !== undefined;
  const specs: ClientLimitSpec[] = [];
  for (const { record, effective, priority, burstBytes } of clients) {
    const matters = effective.down !== undefined || effective.up !== undefined || (hasTotal && priority !== undefined);
    const addresses = addressesOf(record.hostNumber, prefixes);
    if (!matters || addresses === undefined || effective.state.startsWith("paused")) continue;
    specs.push({
      // Host numbers are allocated, never change and fit: a class needs no number of its own.
      classId: record.hostNumber,
      addresses,
      ...(effective.down === undefined ? {} : { downBitsPerSecond: onTheWire(effective.down) }),
      ...(effective.up === undefined ? {} : { upBitsPerSecond: onTheWire(effective.up) }),
      ...(burstBytes === undefined ? {} : { burstBytes }),
      priority: priority ?? DEFAULT_PRIORITY,
    });
  }
  if (specs.length === 0 && !hasTotal) return undefined;
  return { ...(hasTotal ? { total } : {}), clients: specs };
}

/** In the middle, so that an owner can put others before and behind. */
const DEFAULT_PRIORITY = 5;

/** What guests together may use in one direction, before headers; undefined where that is not limited. */
export function totalOf(settings: LimitSettings, direction: "down" | "up"): number | undefined {
  const { totalRate, uplinkRate, householdFirst } = settings;
  const total = totalRate?.[direction] ?? null;
  const uplink = householdFirst ? (uplinkRate?.[direction] ?? null) : null;
  const rates = [
    ...(total === null ? [] : [rateBits(total)]),
    ...(uplink === null ? [] : [rateBits(uplink) * GUEST_SHARE_OF_UPLINK]),
  ];
  return rates.length === 0 ? undefined : Math.min(...rates);
}

/** Bits per second of whole packets for a rate that people measure. */
export function onTheWire(bitsPerSecond: number): number {
  const rounded = Math.round((bitsPerSecond * HEADER_ALLOWANCE) / 1000) * 1000;
  return Math.min(MAX_RATE_BITS_PER_SECOND, Math.max(MIN_RATE_BITS_PER_SECOND, rounded));
}
