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
import { type SeedClient, seedApply, seedChange } from "./seed.ts";
import { buildWorld, clientAddress, packetsPerSecond, throughput } from "./world.ts";

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

function planOf(place: number, ids: readonly number[], measured: number): TrafficPlan {
  const clients: ClientLimitSpec[] = ids.map((classId) => {
    const bits = classId === measured ? MEASURED_BITS_PER_SECOND : OTHERS_BITS_PER_SECOND;
    const addresses = [clientAddress(place, classId), `fd00:1:2:3::${classId.toString(16)}`];
    return { classId, addresses, downBitsPerSecond: bits, upBitsPerSecond: bits, priority: 5 };
  });
  const spec = sampleSpec();
  const wireguard = { ...spec.wireguard, interfaceName: `higgs${place}` };
  const plan = planTraffic({ ...spec, wireguard, limits: { clients } });
  if (plan === undefined) throw new Error("nothing is planned");
  return plan;
}

async function timed(action: () => unknown): Promise<number> {
  const startedMs = performance.now();
  await action();
  return performance.now() - startedMs;
}

async function ours(
  place: number,
  stateDir: string,
  ids: readonly number[],
  measured: number,
): Promise<[string, string][]> {
  const control = new TrafficControl({ run, stateDir });
  unwrap(await control.leafKind());
  const plan = planOf(place, ids, measured);
  const all = await timed(async () => unwrap(await control.apply(plan, true)));
  const changes: number[] = [];
  for (let round = 1; round <= CHANGES; round++) {
    const changed = planOf(place, ids, ids[0] ?? FIRST);
    const [first] = changed.directions;
    const one = first.classes.get(measured);
    if (one !== undefined) Object.assign(one, { ceilKbit: 5_000 + round, rateKbit: 5_000 + round });
    changes.push(await timed(async () => unwrap(await control.apply(changed, true))));
  }
  const again = await timed(async () => unwrap(await control.apply(planOf(place, ids, measured), true)));
  const same = await timed(async () => unwrap(await control.apply(planOf(place, ids, measured), true)));
  return [
    ["applied, all of them", `${all.toFixed(0)} ms`],
    ["one change among them", `${median(changes).toFixed(1)} ms`],
    ["several changes at once", `${again.toFixed(0)} ms`],
    ["nothing has changed", `${same.toFixed(1)} ms`],
  ];
}

async function seeds(place: number, clients: readonly SeedClient[]): Promise<[string, string][]> {
  const all = await timed(() => seedApply(place, clients));
  const changes: number[] = [];
  for (let round = 1; round <= CHANGES; round++) {
    const [first] = clients;
    if (first !== undefined) changes.push(await timed(() => seedChange(place, { ...first, kbit: 6_000 + round })));
  }
  return [
    ["applied, all of them", `${all.toFixed(0)} ms`],
    ["one change among them", `${median(changes).toFixed(1)} ms`],
    ["several changes at once", ""],
    ["nothing has changed", ""],
  ];
}

const clientCount = value("--clients", 1000);
const rounds = value("--rounds", 12);
const ids = Array.from({ length: clientCount }, (_, index) => FIRST + index);
/** The last one is what a linear list finds last. */
const measured = FIRST + clientCount - 1;
const stateDir = mkdtempSync(join(tmpdir(), "limits-bench-"));

/** All of them stand side by side, each on an interface of its own, so that a round passes quickly from one to the next. */
const SCHEMES = [
  "ours, 1 client",
  "ours, 1 client again",
  `ours, ${clientCount} clients`,
  `unlimited beside ${clientCount - 1} limited`,
  `one list, ${clientCount} clients`,
  "no limits at all",
];

async function applyOurs(place: number, limited: readonly number[]): Promise<void> {
  unwrap(await new TrafficControl({ run, stateDir }).apply(planOf(place, limited, measured), false));
}

try {
  await buildWorld(SCHEMES.map(() => measured));
  const seedClients = ids.map((classId) => ({ classId, kbit: classId === measured ? 50_000_000 : 5_000 }));
  const byUs = await ours(2, stateDir, ids, measured);
  const bySeed = await seeds(4, seedClients);
  process.stdout.write(
    `Limits of ${clientCount} clients, ${process.version}. Ours is both directions and families.\n\n`,
  );
  process.stdout.write(
    `${table(
      ["", "ours", "a process per tc call"],
      byUs.map(([title, time], index) => [title, time, bySeed[index]?.[1] ?? ""]),
    )}\n\n`,
  );

  await applyOurs(0, [measured]);
  await applyOurs(1, [measured]);
  await applyOurs(3, ids.slice(0, -1));
  const bits = SCHEMES.map((): number[] => []);
  const packets = SCHEMES.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    // There and back, so that nobody is always the one before or after another.
    const order = [...SCHEMES.keys()];
    if (round % 2 === 1) order.reverse();
    for (const place of order) bits[place]?.push(throughput(place));
    for (const place of order) packets[place]?.push(packetsPerSecond(place));
  }
  process.stdout.write(
    `Forwarding towards the last of them, medians of ${rounds} rounds; ratios are paired, against one limited client.\n\n${table(
      ["", "TCP Mbit/s", "ratio", "packets/s", "ratio"],
      SCHEMES.map((title, place) => [
        title,
        (median(bits[place] ?? []) / 1e6).toFixed(0),
        pairedRatio(bits[place] ?? [], bits[0] ?? []).toFixed(2),
        median(packets[place] ?? []).toFixed(0),
        pairedRatio(packets[place] ?? [], packets[0] ?? []).toFixed(2),
      ]),
    )}\n\n"again" is the same twice: what its ratios are off by is the noise of this machine.\n`,
  );
} finally {
  rmSync(stateDir, { recursive: true, force: true });
}
process.exit(0);
