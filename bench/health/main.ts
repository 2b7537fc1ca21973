/**
 * `npm run bench -- health [--clients 10,1000] [--checks N]`
 *
 * What one whole check of a node that shares costs: processor time of the node, of the helper and of the programs the helper
 * runs, with so many clients. Checks are made one after the other; what the node does anyhow meanwhile is taken off.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { Control } from "../../e2e/control.ts";
import { Higgsnode, INTERNET, Lab, type LabHost, labObstacle, poll } from "../../e2e/lab/index.ts";
import { ClientRegistry } from "../../src-main/clients/client-registry.ts";
import { openDatabase } from "../../src-main/storage/database.ts";
import { systemClock } from "../../src-shared/clock.ts";
import { DEFAULT_SETTINGS } from "../../src-shared/model/settings.ts";
import { unwrap } from "../../src-shared/result.ts";
import { table } from "../relay/stats.ts";

const DEFAULT_CLIENTS = "10,1000";
const MAX_CLIENTS = 4_000;
const DEFAULT_CHECKS = 30;
const RUNNING_WITHIN_MS = 60_000;
/** Long enough for several polls of the peers, short enough to hold no check of its own. */
const IDLE_MS = 10_000;
/** The kernel's unit of processor time in proc_pid_stat(5), on every platform that has it. */
const MS_PER_TICK = 10;

interface Cost {
  node: number;
  helper: number;
  /** Programs that the helper ran and that have ended. */
  programs: number;
}

export async function main(options: readonly string[]): Promise<void> {
  const value = (name: string, fallback: string) => options[options.indexOf(name) + 1 || options.length] ?? fallback;
  const counts = value("--clients", DEFAULT_CLIENTS).split(",").map(Number);
  const checks = Number(value("--checks", String(DEFAULT_CHECKS)));
  const areCounts = counts.every((count) => Number.isInteger(count) && count >= 1 && count <= MAX_CLIENTS);
  if (!areCounts || !Number.isInteger(checks) || checks < 1) {
    process.stderr.write("usage: npm run bench -- health [--clients 10,1000] [--checks N]\n");
    process.exitCode = 2;
    return;
  }
  const obstacle = labObstacle();
  if (obstacle !== undefined) {
    process.stderr.write(`not measured: ${obstacle}\n`);
    process.exitCode = 1;
    return;
  }
  process.stdout.write(`Health, ${process.version}, ${cpus().length} CPUs, ${checks} checks each.\n`);
  const rows: string[][] = [];
  for (const count of counts) rows.push([String(count), ...(await measured(count, checks))]);
  const heading = [
    "clients",
    "node",
    "helper",
    "its programs",
    "CPU per check",
    "time per check",
    "of one CPU at 30 s",
  ];
  process.stdout.write(`${table(heading, rows)}\n`);
}

async function measured(clients: number, checks: number): Promise<string[]> {
  const lab = await Lab.create({ router: { mapping: "none", portForward51820: true } });
  try {
    const node = new Higgsnode(lab.host("node"));
    addClients(node.dataFolder, clients);
    await node.start({ share: true, panelPort: false });
    await node.mustRun(["settings", "set", `egressTargets=["${INTERNET.web.ipv4}:80"]`]);
    const control = new Control(join(node.dataFolder, "control.sock"));
    await poll("the node to be running", async () => (await phaseOf(control)) === "running" || undefined, {
      timeoutMs: RUNNING_WITHIN_MS,
    });
    await control.call("health.check", {});
    const idleBefore = costOf(node.host);
    await sleep(IDLE_MS);
    const idle = minus(costOf(node.host), idleBefore);
    const [before, startedMs] = [costOf(node.host), performance.now()];
    for (let check = 0; check < checks; check++) await control.call("health.check", {});
    const tookMs = performance.now() - startedMs;
    const cost = minus(costOf(node.host), before);
    control.close();
    const per = (part: keyof Cost) => Math.max(0, cost[part] - (idle[part] * tookMs) / IDLE_MS) / checks;
    const all = per("node") + per("helper") + per("programs");
    const parts = [per("node"), per("helper"), per("programs"), all];
    return [...parts.map(ms), ms(tookMs / checks), `${((100 * all) / 30_000).toFixed(2)} %`];
  } finally {
    await lab.dispose();
  }
}

/** Into the database, before the node starts: adding them one by one would apply each. */
function addClients(dataDir: string, count: number): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const { db } = unwrap(openDatabase(dataDir, { clock: systemClock }));
  const registry = new ClientRegistry({ db, clock: systemClock, settings: () => DEFAULT_SETTINGS });
  for (let index = 1; index <= count; index++) unwrap(registry.add(`client ${index}`));
  registry.close();
  db.close();
}

async function phaseOf(control: Control): Promise<string> {
  return ((await control.call("node.state", {})) as { value: { node: { phase: string } } }).value.node.phase;
}

function costOf(host: LabHost): Cost {
  const [node, helper] = ["cli.mjs", "helper.mjs"].map((program) => {
    const found = host.processes().find(({ argv }) => argv.some((word) => word.endsWith(program)));
    if (found === undefined) throw new Error(`${program} does not run`);
    // After the name in parentheses, which may hold anything: state is the third field, utime the 14th.
    const fields = readFileSync(`/proc/${found.outerPid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    const ticks = (field: number) => Number(fields[field - 3]) * MS_PER_TICK;
    return { own: ticks(14) + ticks(15), children: ticks(16) + ticks(17) };
  });
  return { node: node?.own ?? 0, helper: helper?.own ?? 0, programs: helper?.children ?? 0 };
}

function minus(a: Cost, b: Cost): Cost {
  return { node: a.node - b.node, helper: a.helper - b.helper, programs: a.programs - b.programs };
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}
