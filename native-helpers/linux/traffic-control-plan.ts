/**
 * What traffic control holds for a spec: pure. Downloads are shaped where packets leave our interface, uploads on an
 * ifb(4) behind it, to which everything that comes in is redirected:
 *
 *   higgs0 root 1: ──▶ 1:1 everybody ─┬─▶ 1:2 … 1:fffe one class per limited client ──▶ its queue
 *   higgs-ifb0 root 1: (the same)     └─▶ 1:ffff everybody else, where there is a total
 *
 * A packet finds its class in two steps whatever the number of clients: u32 hashes the last but one octet of the
 * guest's address, then the last one, then compares the whole address. Without a total, what finds no class is sent at
 * once: htb(8) does so when the default class does not exist.
 */

import type { ClientLimitSpec, LimitsSpec } from "../../src-shared/limits-spec.ts";
import { hostBitsOf } from "../../src-shared/limits-spec.ts";
import { type Address, bitsOf, type Family, parseAddress } from "../../src-shared/net/address.ts";
import type { NetworkSpec } from "../../src-shared/network-spec.ts";

/** The class everything else is in, so that borrowing has one place to borrow from. */
export const ROOT_CLASS_ID = 1;
/** For guests without a class of their own. */
export const DEFAULT_CLASS_ID = 0xffff;

/** Where there is no total the root class must never be what slows anybody down. */
const LINE_RATE_KBIT = 100_000_000;

/** Burst is what a class may send at once after a pause: short enough to be a limit, long enough for timers that come late. */
const BURST_MS = 20;
const SMALLEST_BURST_BYTES = 4 * 1024;
const LARGEST_BURST_BYTES = 1024 * 1024;

/**
 * Under a total every class is promised a sliver and borrows the rest by priority. One part in 8,192 keeps the promises
 * to 4,096 clients below half of the total, so that what is promised never exceeds what there is.
 */
const PROMISE_PARTS = 8_192;

/** htb has eight levels (TC_HTB_NUMPRIO) for our ten: 10 to 4 have one each, 3 to 1 share the last by weight. */
const HTB_LAST_LEVEL = 7;
/** Bytes a class may send in its turn among its equals: at least a packet, and far from where tc warns (200,000). */
const QUANTUM_BYTES = 4_500;

/** Middle priority: for guests nobody has given one. */
export const DEFAULT_PRIORITY = 5;

export interface ClassPlan {
  classId: number;
  rateKbit: number;
  ceilKbit: number;
  burstBytes: number;
  level: number;
  quantumBytes: number;
}

export interface FilterPlan {
  family: Family;
  address: Address;
  classId: number;
}

/** One direction, on one interface. */
export interface DirectionPlan {
  device: string;
  /** Which address of a packet is the guest's. */
  side: "dst" | "src";
  root: ClassPlan;
  /** Client classes and the default class, by class id. */
  classes: ReadonlyMap<number, ClassPlan>;
  /** By `filterKey`. */
  filters: ReadonlyMap<string, FilterPlan>;
}

export interface TrafficPlan {
  /** Ours, whose incoming packets go to `ifb`. */
  device: string;
  ifb: string;
  directions: readonly [DirectionPlan, DirectionPlan];
}

/** `higgs0` → `higgs-ifb0`: by this name it is known again after a crash. */
export function ifbNameOf(interfaceName: string): string {
  return `higgs-ifb${interfaceName.replace(/^higgs/, "")}`;
}

export function isIfbName(name: string): boolean {
  return /^higgs-ifb[0-9]{1,2}$/.test(name);
}

/** Undefined where the spec limits nobody. */
export function planTraffic(spec: NetworkSpec): TrafficPlan | undefined {
  const { limits } = spec;
  if (limits === undefined) return undefined;
  const device = spec.wireguard.interfaceName;
  const ifb = ifbNameOf(device);
  const down = planDirection(limits, device, "dst", limits.total?.downBitsPerSecond, (one) => one.downBitsPerSecond);
  const up = planDirection(limits, ifb, "src", limits.total?.upBitsPerSecond, (one) => one.upBitsPerSecond);
  if (down.classes.size === 0 && up.classes.size === 0) return undefined;
  return { device, ifb, directions: [down, up] };
}

function planDirection(
  limits: LimitsSpec,
  device: string,
  side: "dst" | "src",
  total: number | undefined,
  limitOf: (client: ClientLimitSpec) => number | undefined,
): DirectionPlan {
  const totalKbit = total === undefined ? undefined : kbitOf(total);
  const classes = new Map<number, ClassPlan>();
  const filters = new Map<string, FilterPlan>();
  for (const client of limits.clients) {
    const limit = limitOf(client);
    const limitKbit = limit === undefined ? undefined : kbitOf(limit);
    if (limitKbit === undefined && totalKbit === undefined) continue;
    const ceilKbit = Math.min(limitKbit ?? LINE_RATE_KBIT, totalKbit ?? LINE_RATE_KBIT);
    const { classId, priority, burstBytes } = client;
    classes.set(classId, classPlan({ classId, ceilKbit, totalKbit, priority, burstBytes }));
    for (const text of client.addresses) {
      const address = parseAddress(text);
      if (address === undefined) continue;
      filters.set(filterKey(address), { family: address.family, address, classId });
    }
  }
  if (totalKbit !== undefined) {
    const rest = { classId: DEFAULT_CLASS_ID, ceilKbit: totalKbit, totalKbit, priority: DEFAULT_PRIORITY };
    classes.set(DEFAULT_CLASS_ID, classPlan({ ...rest, burstBytes: undefined }));
  }
  const rootKbit = totalKbit ?? LINE_RATE_KBIT;
  const root: ClassPlan = {
    classId: ROOT_CLASS_ID,
    rateKbit: rootKbit,
    ceilKbit: rootKbit,
    burstBytes: burstFor(rootKbit),
    level: 0,
    quantumBytes: QUANTUM_BYTES,
  };
  return { device, side, root, classes, filters };
}

function classPlan(wanted: {
  classId: number;
  ceilKbit: number;
  totalKbit: number | undefined;
  priority: number;
  burstBytes: number | undefined;
}): ClassPlan {
  const { classId, ceilKbit, totalKbit, priority } = wanted;
  const promised = totalKbit === undefined ? ceilKbit : Math.max(1, Math.floor(totalKbit / PROMISE_PARTS));
  const weight = priority >= 4 ? 1 : priority;
  return {
    classId,
    rateKbit: Math.min(promised, ceilKbit),
    ceilKbit,
    burstBytes: wanted.burstBytes ?? burstFor(ceilKbit),
    level: Math.min(HTB_LAST_LEVEL, 10 - priority),
    quantumBytes: QUANTUM_BYTES * weight,
  };
}

/** The kernel counts bytes; whole kilobits are whole bytes, and tc prints them back as they were written. */
function kbitOf(bitsPerSecond: number): number {
  return Math.max(8, Math.round(bitsPerSecond / 1000));
}

function burstFor(kbit: number): number {
  const bytes = Math.round((kbit * BURST_MS) / 8);
  return Math.min(LARGEST_BURST_BYTES, Math.max(SMALLEST_BURST_BYTES, bytes));
}

/** Where a guest's address is looked up: unique per direction, because no two guests end alike. */
export function filterKey(address: Address): string {
  const host = hostBitsOf(address.value);
  // Tables 100 to 1ff hold IPv4, 200 to 2ff IPv6: one per last but one octet.
  const table = (address.family === 4 ? 0x100 : 0x200) + (host >> 8);
  return `${table.toString(16)}:${(host & 0xff).toString(16)}`;
}

/** Hash tables that must be there for `filters`, each with the family it serves: `105` for IPv4 guests x.y.5.z. */
export function tablesOf(filters: Iterable<FilterPlan>): Map<string, Family> {
  const tables = new Map<string, Family>();
  for (const { family, address } of filters) {
    const table = filterKey(address).split(":")[0] ?? "";
    tables.set(table, family);
  }
  return tables;
}

/** Octet of the header at which the last 32 bits of an address begin (RFC 791 section 3.1, RFC 8200 section 3). */
export function lastWordAt(family: Family, side: "dst" | "src"): number {
  if (family === 4) return side === "src" ? 12 : 16;
  return side === "src" ? 20 : 36;
}

/** The address as tc(8) prints a match of it: 32 bits at a time, each with where it stands in the header. */
export function wordsOf(address: Address, side: "dst" | "src"): { hex: string; at: number }[] {
  const count = bitsOf(address.family) / 32;
  const first = lastWordAt(address.family, side) - 4 * (count - 1);
  return Array.from({ length: count }, (_, index) => {
    const shift = BigInt(32 * (count - 1 - index));
    return { hex: ((address.value >> shift) & 0xffffffffn).toString(16).padStart(8, "0"), at: first + 4 * index };
  });
}
