/** The measurements of `main.ts`, in the namespaces it made. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { run } from "../../native-helpers/linux/run.ts";
import { TrafficControl } from "../../native-helpers/linux/traffic-control.ts";
import { planTraffic, type TrafficPlan } from "../../native-helpers/linux/traffic-control-plan.ts";
import type { ClientLimitSpec } from "../../src-shared/limits-spec.ts";
import { unwrap } from "../../src-shared/result.ts";
import { sampleSpec } from "../../src-shared/testing/sample-spec.ts";
import { median, pairedRatio, table } from "../relay/stats.ts";
import { type SeedClient, seedApply, seedChange, seedRemove } from "./seed.ts";
import { buildWorld, packetsPerSecond, throughput } from "./world.ts";

const FIRST = 2;
/** More than the box can forward: what is measured is what finding the class costs, not the limit. */
const MEASURED_BITS_PER_SECOND = 50e9;
const OTHERS_BITS_PER_SECOND = 5e6;
const CHANGES = 9;

function value(name: string, fallback: number): number {
  const at = process.argv.indexOf(name);
  const given = at === -1 ? fallback : Number(process.argv[at + 1]);
  if (!Number.isInteger(given) || given < 1 || given > 4_000) throw new RangeError(`${name} must be from 1 to 4000`);
  return given;
}

function planOf(ids: readonly number[], measured: number, others = OTHERS_BITS_PER_SECOND): TrafficPlan {
  const clients: ClientLimitSpec[] = ids.map((classId) => {
    const bits = classId === measured ? MEASURED_BITS_PER_SECOND : others;
    const addresses = [`10.66.${classId >> 8}.${classId & 255}`, `fd00:1:2:3::${classId.toString(16)}`];
    return { classId, addresses, downBitsPerSecond: bits, upBitsPerSecond: bits, priority: 5 };
  });
  const plan = planTraffic({ ...sampleSpec(), limits: { clients } });
  if (plan === undefined) throw new Error("nothing is planned");
  return plan;
}

async function timed(action: () => unknown): Promise<number> {
  const startedMs = performance.now();
  await action();
  return performance.now() - startedMs;
}

interface Scheme {
  title: string;
  rounds: number;
  apply: () => unknown;
  remove: () => unknown;
}

/** Measures `scheme` right after `baseline` in every round, so that what drifts between rounds does not count. */
async function against(baseline: Scheme, scheme: Scheme): Promise<string[]> {
  const bits: [number[], number[]] = [[], []];
  const packets: [number[], number[]] = [[], []];
  for (let round = 0; round < scheme.rounds; round++) {
    for (const [index, each] of [baseline, scheme].entries()) {
      await each.apply();
      bits[index]?.push(throughput());
      packets[index]?.push(packetsPerSecond());
      await each.remove();
    }
  }
  return [
    scheme.title,
    (median(bits[1]) / 1e6).toFixed(0),
    pairedRatio(bits[1], bits[0]).toFixed(2),
    median(packets[1]).toFixed(0),
    pairedRatio(packets[1], packets[0]).toFixed(2),
  ];
}

async function ours(stateDir: string, ids: readonly number[], measured: number): Promise<[string, string][]> {
  const control = new TrafficControl({ run, stateDir });
  unwrap(await control.leafKind());
  const plan = planOf(ids, measured);
  const all = await timed(async () => unwrap(await control.apply(plan, true)));
  const changes: number[] = [];
  for (let round = 1; round <= CHANGES; round++) {
    const changed = planOf(ids, ids[0] ?? FIRST);
    const [first] = changed.directions;
    const one = first.classes.get(measured);
    if (one !== undefined) Object.assign(one, { ceilKbit: 5_000 + round, rateKbit: 5_000 + round });
    changes.push(await timed(async () => unwrap(await control.apply(changed, true))));
  }
  const again = await timed(async () => unwrap(await control.apply(planOf(ids, measured), true)));
  const same = await timed(async () => unwrap(await control.apply(planOf(ids, measured), true)));
  await control.remove("higgs0");
  return [
    ["applied, all of them", `${all.toFixed(0)} ms`],
    ["one change among them", `${median(changes).toFixed(1)} ms`],
    ["several changes at once", `${again.toFixed(0)} ms`],
    ["nothing has changed", `${same.toFixed(1)} ms`],
  ];
}

async function seeds(clients: readonly SeedClient[]): Promise<[string, string][]> {
  const all = await timed(() => seedApply(clients));
  const changes: number[] = [];
  for (let round = 1; round <= CHANGES; round++) {
    const [first] = clients;
    if (first !== undefined) changes.push(await timed(() => seedChange({ ...first, kbit: 6_000 + round })));
  }
  seedRemove();
  return [
    ["applied, all of them", `${all.toFixed(0)} ms`],
    ["one change among them", `${median(changes).toFixed(1)} ms`],
    ["several changes at once", ""],
    ["nothing has changed", ""],
  ];
}

const clientCount = value("--clients", 1000);
const rounds = value("--rounds", 5);
const ids = Array.from({ length: clientCount }, (_, index) => FIRST + index);
/** The last one is what a linear list finds last. */
const measured = FIRST + clientCount - 1;
const stateDir = mkdtempSync(join(tmpdir(), "limits-bench-"));
try {
  await buildWorld(measured);
  const seedClients = ids.map((classId) => ({ classId, kbit: classId === measured ? 50_000_000 : 5_000 }));
  const byUs = await ours(stateDir, ids, measured);
  const bySeed = await seeds(seedClients);
  process.stdout.write(
    `Limits of ${clientCount} clients, ${process.version}. Ours is both directions and families.\n\n`,
  );
  process.stdout.write(
    `${table(
      ["", "ours", "a process per tc call"],
      byUs.map(([title, time], index) => [title, time, bySeed[index]?.[1] ?? ""]),
    )}\n\n`,
  );

  const control = new TrafficControl({ run, stateDir });
  const one: Scheme = {
    title: "ours, 1 client",
    rounds,
    apply: async () => unwrap(await control.apply(planOf([measured], measured), false)),
    remove: () => control.remove("higgs0"),
  };
  const schemes: Scheme[] = [
    { title: "no limits at all", rounds, apply: () => {}, remove: () => {} },
    { ...one, title: "ours, 1 client again" },
    {
      ...one,
      title: `ours, ${clientCount} clients`,
      apply: async () => unwrap(await control.apply(planOf(ids, measured), false)),
    },
    // It takes so long to set up that it has one round.
    { title: `one list, ${clientCount} clients`, rounds: 1, apply: () => seedApply(seedClients), remove: seedRemove },
  ];
  const rows: string[][] = [];
  for (const scheme of schemes) rows.push(await against(one, scheme));
  process.stdout.write(
    `Forwarding towards the last of them, medians of ${rounds} rounds; each round is paired with one of one limited client.\n\n${table(
      ["", "TCP Mbit/s", "ratio", "packets/s", "ratio"],
      rows,
    )}\n`,
  );
} finally {
  rmSync(stateDir, { recursive: true, force: true });
}
process.exit(0);
