/** From one state of traffic control to another, as lines for `tc -batch`: pure. */
import { bitsOf, type Family, formatAddress } from "../../src-shared/net/address.ts";
import type { LeafKind } from "../../src-shared/network-observation.ts";
import {
  type ClassPlan,
  DEFAULT_CLASS_ID,
  type DirectionPlan,
  type FilterPlan,
  filterKey,
  lastWordAt,
  ROOT_CLASS_ID,
  type TrafficPlan,
  tablesOf,
} from "./traffic-control-plan.ts";

/** Packets of guests without a limit that may wait for a busy interface; many do not say how many they take. */
const DIRECT_PACKETS = 1000;

/** A full packet of our interface. */
const PACKET_BYTES = 1_500;
/**
 * A plain queue delays by as much as it holds: a tenth of a second, which TCP needs to fill the rate over a longer path. It
 * counts packets and not bytes, because what the kernel has merged into one would never fit a short queue of bytes.
 */
const PLAIN_QUEUE_MS = 100;
const SHORTEST_PLAIN_QUEUE_PACKETS = 10;
/** What an interface holds by default (txqueuelen). */
const LONGEST_PLAIN_QUEUE_PACKETS = 1_000;

/** fq_codel(8) takes 1,024 flows by default, 64 KiB per class; a guest has few connections that matter at a time. */
const FQ_CODEL_FLOWS = 64;
const FQ_CODEL_PACKETS = 1_000;
const FQ_CODEL_MEMORY_BYTES = 4 * 1024 * 1024;
/** CoDel's own defaults (RFC 8289, section 4). */
const CODEL_TARGET_US = 5_000;
const CODEL_INTERVAL_US = 100_000;

/** IPv4 and IPv6 have a filter list each, told apart by preference. */
const PREFERENCE: Record<Family, number> = { 4: 1, 6: 2 };
const PROTOCOL: Record<Family, string> = { 4: "ip", 6: "ipv6" };
/** The table of the last but one octet; its entries lead to the tables of the last octet. */
const FIRST_TABLE: Record<Family, string> = { 4: "1", 6: "2" };
const LAST_OCTET = "0x000000ff";
const LAST_BUT_ONE_OCTET = "0x0000ff00";

/** What one interface is known to have. */
export interface StandingDirection {
  root: ClassPlan | undefined;
  classes: ReadonlyMap<number, ClassPlan>;
  filters: ReadonlyMap<string, FilterPlan>;
  /** Hash tables of the last octet, emptied ones included. */
  tables: ReadonlySet<string>;
}

/** Everything from nothing: for interfaces whose root and ingress are free. */
export function buildLines(plan: TrafficPlan, leaf: LeafKind): string[] {
  const redirect = "u32 match u32 0 0 action mirred egress redirect dev";
  return [
    ...plan.directions.flatMap((direction) => directionLines(direction, leaf)),
    `qdisc add dev ${plan.device} handle ffff: ingress`,
    `filter add dev ${plan.device} parent ffff: prio 1 protocol all ${redirect} ${plan.ifb}`,
  ];
}

function directionLines(plan: DirectionPlan, leaf: LeafKind): string[] {
  const { device } = plan;
  const nothing: StandingDirection = { root: plan.root, classes: new Map(), filters: new Map(), tables: new Set() };
  return [
    `qdisc add dev ${device} root handle 1: htb default ${hex(DEFAULT_CLASS_ID)} direct_qlen ${DIRECT_PACKETS}`,
    `class add dev ${device} parent 1: classid ${idOf(ROOT_CLASS_ID)} ${shape(plan.root)}`,
    ...([4, 6] as const).flatMap((family) => [
      `${filter("add", device, family)} handle ${FIRST_TABLE[family]}: u32 divisor 256`,
      `${filter("add", device, family)} u32 match u32 0 0 link ${FIRST_TABLE[family]}: ${hashkey(plan, family, LAST_BUT_ONE_OCTET)}`,
    ]),
    ...changeLines(plan, nothing, leaf),
  ];
}

/** What leads from `standing` to `plan` on an interface that has its root: nothing for what is there already. */
export function changeLines(plan: DirectionPlan, standing: StandingDirection, leaf: LeafKind): string[] {
  const { device } = plan;
  const lines: string[] = [];
  if (standing.root === undefined || !sameClass(standing.root, plan.root)) {
    lines.push(`class change dev ${device} classid ${idOf(ROOT_CLASS_ID)} ${shape(plan.root)}`);
  }
  // A filter holds its class: it goes first, and comes after it.
  for (const [key, present] of standing.filters) {
    const wanted = plan.filters.get(key);
    if (wanted === undefined || !sameFilter(wanted, present)) lines.push(removeFilter(device, key, present.family));
  }
  for (const classId of standing.classes.keys()) {
    if (!plan.classes.has(classId)) lines.push(`class del dev ${device} classid ${idOf(classId)}`);
  }
  for (const [classId, wanted] of plan.classes) {
    const present = standing.classes.get(classId);
    if (present === undefined) {
      lines.push(
        `class add dev ${device} parent ${idOf(ROOT_CLASS_ID)} classid ${idOf(classId)} ${shape(wanted)}`,
        `qdisc add dev ${device} parent ${idOf(classId)} ${newLeaf(leaf, wanted)}`,
      );
    } else if (!sameClass(present, wanted)) {
      lines.push(
        `class change dev ${device} parent ${idOf(ROOT_CLASS_ID)} classid ${idOf(classId)} ${shape(wanted)}`,
        ...changedLeaf(leaf, present, wanted).map(([verb, words]) =>
          `qdisc ${verb} dev ${device} parent ${idOf(classId)} ${words}`.trimEnd(),
        ),
      );
    }
  }
  for (const [table, family] of tablesOf(plan.filters.values())) {
    if (standing.tables.has(table)) continue;
    const bucket = `${FIRST_TABLE[family]}:${(Number.parseInt(table, 16) & 0xff).toString(16)}`;
    lines.push(
      `${filter("add", device, family)} handle ${table}: u32 divisor 256`,
      `${filter("add", device, family)} handle ${bucket}:1 u32 ht ${bucket}: match u32 0 0 link ${table}: ${hashkey(plan, family, LAST_OCTET)}`,
    );
  }
  for (const [key, wanted] of plan.filters) {
    const present = standing.filters.get(key);
    if (present !== undefined && sameFilter(wanted, present)) continue;
    const { family, address, classId } = wanted;
    const word = family === 4 ? "ip" : "ip6";
    const match = `match ${word} ${plan.side} ${formatAddress(address)}/${bitsOf(family)}`;
    lines.push(
      `${filter("add", device, family)} handle ${key}:1 u32 ht ${filterKey(address)}: ${match} flowid ${idOf(classId)}`,
    );
  }
  return lines;
}

export function sameClass(a: ClassPlan, b: ClassPlan): boolean {
  return (
    a.rateKbit === b.rateKbit &&
    a.ceilKbit === b.ceilKbit &&
    a.burstBytes === b.burstBytes &&
    a.level === b.level &&
    a.quantumBytes === b.quantumBytes
  );
}

function sameFilter(a: FilterPlan, b: FilterPlan): boolean {
  return a.classId === b.classId && a.family === b.family && a.address.value === b.address.value;
}

function removeFilter(device: string, key: string, family: Family): string {
  return `${filter("del", device, family)} handle ${key}:1 u32`;
}

function filter(verb: "add" | "del", device: string, family: Family): string {
  return `filter ${verb} dev ${device} parent 1: prio ${PREFERENCE[family]} protocol ${PROTOCOL[family]}`;
}

function hashkey(plan: DirectionPlan, family: Family, mask: string): string {
  return `hashkey mask ${mask} at ${lastWordAt(family, plan.side)}`;
}

function shape({ rateKbit, ceilKbit, burstBytes, level, quantumBytes }: ClassPlan): string {
  const burst = `burst ${burstBytes} cburst ${burstBytes}`;
  return `htb rate ${rateKbit}kbit ceil ${ceilKbit}kbit ${burst} prio ${level} quantum ${quantumBytes}`;
}

function newLeaf(leaf: LeafKind, plan: ClassPlan): string {
  if (leaf === "fq_codel") {
    return `fq_codel limit ${FQ_CODEL_PACKETS} flows ${FQ_CODEL_FLOWS} memory_limit ${FQ_CODEL_MEMORY_BYTES} ${codelTimes(plan)}`;
  }
  if (leaf === "sfq") return "sfq perturb 10";
  return plainQueue(plan);
}

/**
 * fq_codel keeps its number of flows for life, and sfq asks for nothing that depends on the rate. A plain queue that
 * becomes shorter is made anew: what waits in it would take long at the new rate, and a lost packet is what tells TCP.
 */
function changedLeaf(leaf: LeafKind, before: ClassPlan, plan: ClassPlan): [verb: string, words: string][] {
  if (leaf === "fq_codel") return [["change", `fq_codel ${codelTimes(plan)}`]];
  if (leaf === "sfq" || plainQueue(before) === plainQueue(plan)) return [];
  if (plan.ceilKbit > before.ceilKbit) return [["change", plainQueue(plan)]];
  return [
    ["del", ""],
    ["add", plainQueue(plan)],
  ];
}

/** Below 3 Mbit/s two packets take longer than CoDel's target, which would then drop without a queue (RFC 8290, 5.2.2). */
function codelTimes({ ceilKbit }: ClassPlan): string {
  const twoPacketsUs = Math.round((2 * PACKET_BYTES * 8 * 1000) / ceilKbit);
  const targetUs = Math.max(CODEL_TARGET_US, twoPacketsUs);
  return `target ${targetUs}us interval ${CODEL_INTERVAL_US + targetUs - CODEL_TARGET_US}us`;
}

function plainQueue({ ceilKbit }: ClassPlan): string {
  const packets = Math.round((ceilKbit * PLAIN_QUEUE_MS) / 8 / PACKET_BYTES);
  return `pfifo limit ${Math.min(LONGEST_PLAIN_QUEUE_PACKETS, Math.max(SHORTEST_PLAIN_QUEUE_PACKETS, packets))}`;
}

/** Class ids are hexadecimal wherever tc reads or prints them. */
export function idOf(classId: number): string {
  return `1:${hex(classId)}`;
}

function hex(value: number): string {
  return value.toString(16);
}
