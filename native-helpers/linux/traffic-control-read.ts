/** What tc(8) reports, and how it differs from a plan. Its JSON has neither htb's rates nor u32's keys, so its text is read. */
import type { ClassCounters } from "../../src-shared/network-observation.ts";
import { fail, ok, type Result } from "../../src-shared/result.ts";
import { readLink } from "./ip-json.ts";
import { describeRun, type Run } from "./run.ts";
import { idOf, sameClass } from "./traffic-control-batch.ts";
import { type DirectionPlan, type TrafficPlan, wordsOf } from "./traffic-control-plan.ts";

/** A difference is for people; more of them say no more. */
const MAX_DIFFERENCES = 5;

export interface SeenQdiscs {
  /** `htb 1:`, or undefined where the kernel's own default stands. */
  root: string | undefined;
  /** `ingress` or `clsact`, where something is attached to what comes in. */
  ingress: string | undefined;
}

/** Null where there is no such device. */
export async function readQdiscs(run: Run, device: string): Promise<SeenQdiscs | null> {
  const ran = await run("tc", ["qdisc", "show", "dev", device]);
  if (ran.code !== 0) return null;
  let root: string | undefined;
  let ingress: string | undefined;
  for (const line of ran.stdout.split("\n")) {
    const [, kind = "", handle = "", rest = ""] = /^qdisc (\S+) ([0-9a-f]+): (.*)$/.exec(line) ?? [];
    // Handle 0 is what the kernel put there by itself.
    if (rest.includes("root") && handle !== "0") root = `${kind} ${handle}:`;
    if (kind === "ingress" || kind === "clsact") ingress = kind;
  }
  return { root, ingress };
}

/** Class id → `parent rate ceil level leaf?`, in tc's own words. */
export function parseClasses(text: string): Map<string, string> {
  const classes = new Map<string, string>();
  for (const line of text.split("\n")) {
    const id = /^class htb (\S+) /.exec(line)?.[1];
    if (id === undefined) continue;
    const parent = / parent (\S+)/.exec(line)?.[1] ?? "root";
    const rate = / rate (\S+)/.exec(line)?.[1] ?? "";
    const ceil = / ceil (\S+)/.exec(line)?.[1] ?? "";
    const level = / prio (\d+)/.exec(line)?.[1] ?? "-";
    const leaf = line.includes(" leaf ") ? "queue" : "no-queue";
    classes.set(id, `${parent} ${rate.toLowerCase()} ${ceil.toLowerCase()} ${level} ${leaf}`);
  }
  return classes;
}

export function expectedClasses(plan: DirectionPlan): Map<string, string> {
  const ids = [plan.root.classId, ...plan.classes.keys()].map(idOf);
  return new Map(ids.map((id) => [id, expectedClass(plan, id) ?? ""]));
}

/** As iproute2 prints a rate (tc_print_rate): in the largest unit that is exact, and cut short from 1,000 units on. */
export function printedRate(kbit: number): string {
  let value = kbit * 1000;
  let unit = 0;
  while (unit < 4 && value >= 1000 && !(value % 1000 !== 0 && value < 1_000_000)) {
    value = Math.floor(value / 1000);
    unit++;
  }
  return `${value}${["", "k", "m", "g", "t"][unit]}bit`;
}

/**
 * Keys of the filters that lead to classes and to tables, `100:5:1 1:2 0a420005@16`: everything by which a
 * packet finds its way. The kernel numbers the two roots itself; they are called `root`.
 */
export function parseFilters(text: string): Set<string> {
  const filters = new Set<string>();
  let open: string | undefined;
  let words: string[] = [];
  const close = () => {
    if (open !== undefined) filters.add([open, ...words].join(" "));
    open = undefined;
    words = [];
  };
  for (const line of text.split("\n")) {
    const match = /^\s+match ([0-9a-f]{8})\/ffffffff at (\d+)/.exec(line);
    if (match !== null && open !== undefined) words.push(`${match[1]}@${match[2]}`);
    const head = /^filter .*?protocol (\S+) .*? fh (\S+) .*?key ht .*?(?:flowid (\S+)|link (\S+:))/.exec(line);
    if (line.startsWith("filter ")) close();
    if (head === null) continue;
    const [, protocol = "", handle = "", flowId, link] = head;
    open = /^8[0-9a-f]{2}:/.test(handle) ? `${protocol} root` : `${protocol} ${handle}`;
    open += ` ${flowId ?? link}`;
  }
  close();
  return filters;
}

export function expectedFilters(plan: DirectionPlan): Set<string> {
  const filters = new Set<string>(["ip root 1:", "ipv6 root 2:"]);
  for (const [key, { family, address, classId }] of plan.filters) {
    const protocol = family === 4 ? "ip" : "ipv6";
    const table = key.split(":")[0] ?? "";
    const bucket = (Number.parseInt(table, 16) & 0xff).toString(16);
    // tc leaves bucket 0 out of a handle.
    filters.add(`${protocol} ${family === 4 ? 1 : 2}:${bucket === "0" ? "" : bucket}:1 ${table}:`);
    const words = wordsOf(address, plan.side).map(({ hex, at }) => `${hex}@${at}`);
    const handle = key.endsWith(":0") ? `${table}::1` : `${key}:1`;
    filters.add([`${protocol} ${handle} ${idOf(classId)}`, ...words].join(" "));
  }
  return filters;
}

/** What differs on both interfaces and at the ingress; empty when everything is as planned. */
export async function readDifferences(run: Run, plan: TrafficPlan): Promise<string[]> {
  const [ofDevices, ofIngress] = await Promise.all([
    Promise.all(plan.directions.map((direction) => directionDifferences(run, direction))),
    ingressDifferences(run, plan),
  ]);
  return [...ofDevices.flat(), ...ofIngress].slice(0, MAX_DIFFERENCES);
}

async function directionDifferences(run: Run, plan: DirectionPlan): Promise<string[]> {
  const { device } = plan;
  const [qdiscs, classes, filters] = await Promise.all([
    readQdiscs(run, device),
    readClasses(run, device),
    run("tc", ["filter", "show", "dev", device, "parent", "1:"]),
  ]);
  if (qdiscs === null) return [`${device} is gone`];
  if (qdiscs.root !== "htb 1:") return [`${device} has no limits`];
  if (!classes.ok) return [classes.error.message];
  const differences = classDifferences(plan, classes.value);
  const seen = parseFilters(filters.stdout);
  const wanted = expectedFilters(plan);
  for (const key of wanted) if (!seen.has(key)) differences.push(`${device}: the filter ${key} is missing`);
  // Tables that have become empty stay, and lead nowhere; a filter that leads to a class must be ours.
  for (const key of seen) {
    if (!wanted.has(key) && !key.endsWith(":")) differences.push(`${device}: the filter ${key} is not ours`);
  }
  return differences;
}

/** Every class of a device, or the one called `id`. */
export async function readClasses(run: Run, device: string, id?: string): Promise<Result<Map<string, string>>> {
  const args = ["class", "show", "dev", device, ...(id === undefined ? [] : ["classid", id])];
  const ran = await run("tc", args);
  return ran.code === 0 ? ok(parseClasses(ran.stdout)) : fail("limits-unreadable", describeRun("tc", args, ran));
}

/** Ids of the classes that must look different now, those that must be gone included. */
export function touchedClasses(plan: DirectionPlan, before: DirectionPlan): string[] {
  const touched: number[] = [];
  for (const wanted of [plan.root, ...plan.classes.values()]) {
    const former = wanted.classId === plan.root.classId ? before.root : before.classes.get(wanted.classId);
    if (former === undefined || !sameClass(former, wanted)) touched.push(wanted.classId);
  }
  for (const classId of before.classes.keys()) if (!plan.classes.has(classId)) touched.push(classId);
  return touched.map(idOf);
}

/** How tc prints one class of a plan; undefined where the plan has none of that id. */
export function expectedClass(plan: DirectionPlan, id: string): string | undefined {
  const classId = Number.parseInt(id.slice(2), 16);
  const wanted = classId === plan.root.classId ? plan.root : plan.classes.get(classId);
  if (wanted === undefined) return undefined;
  const rates = `${printedRate(wanted.rateKbit)} ${printedRate(wanted.ceilKbit)}`;
  if (wanted !== plan.root) return `${idOf(plan.root.classId)} ${rates} ${wanted.level} queue`;
  // A class with others below it has neither priority nor queue; without them it is a leaf like any other.
  return plan.classes.size > 0 ? `root ${rates} - no-queue` : `root ${rates} 0 no-queue`;
}

export function classDifferences(plan: DirectionPlan, seen: ReadonlyMap<string, string>): string[] {
  const differences: string[] = [];
  const wanted = expectedClasses(plan);
  for (const [id, words] of wanted) {
    const present = seen.get(id);
    if (present === undefined) differences.push(`${plan.device}: the class ${id} is missing`);
    else if (present !== words) differences.push(`${plan.device}: the class ${id} is ${present}, not ${words}`);
  }
  for (const id of seen.keys()) if (!wanted.has(id)) differences.push(`${plan.device}: the class ${id} is not ours`);
  return differences;
}

async function ingressDifferences(run: Run, { device, ifb }: TrafficPlan): Promise<string[]> {
  const [ran, link] = await Promise.all([
    run("tc", ["filter", "show", "dev", device, "parent", "ffff:"]),
    readLink(run, ifb),
  ]);
  if (link?.up !== true) return [`${ifb} is switched off`];
  if (ran.code === 0 && ran.stdout.includes(`(Egress Redirect to device ${ifb})`)) return [];
  return [`${device}: what guests send is not led through ${ifb}`];
}

/** Counters of one class; null where there is none. */
export async function readCounters(run: Run, device: string, classId: number): Promise<ClassCounters | null> {
  const ran = await run("tc", ["-s", "class", "show", "dev", device, "classid", idOf(classId)]);
  if (ran.code !== 0) return null;
  const sent = /Sent (\d+) bytes (\d+) pkt \(dropped (\d+)/.exec(ran.stdout);
  const waiting = /backlog (\d+)([KM]?)b/.exec(ran.stdout);
  if (sent === null) return null;
  const scale = waiting?.[2] === "M" ? 1024 * 1024 : waiting?.[2] === "K" ? 1024 : 1;
  return {
    bytes: Number(sent[1]),
    packets: Number(sent[2]),
    dropped: Number(sent[3]),
    backlogBytes: Number(waiting?.[1] ?? 0) * scale,
  };
}
