/** Faults at random for a long time, and what is left of them. The same seed gives the same faults at the same moments. */
import { FaultLab } from "./fault-lab.ts";
import { FAULTS, type Fault, goThrough, turnBack } from "./faults.ts";
import { NetworkSnapshot, pollUntil } from "./lab/index.ts";
import { type Holdings, leaks, takeHoldings } from "./soak-holdings.ts";

export interface SoakOptions {
  seed: number;
  /** How many faults, and over how long. Those that take longer to be over than there is time are not cut short. */
  faults: number;
  durationMs: number;
  say: (line: string) => void;
}

export interface SoakReport {
  /** Each fault in order, with how long the node took to be over it. */
  healed: { name: string; servedMs: number; limitMs: number }[];
  /** What a running node holds at the end and did not hold at the beginning. */
  leaks: string[];
  /** What differs, with sharing off, from before it was ever on. */
  leftBehind: string[];
  residentGrowthBytes: number;
  heapGrowthBytes: number;
}

/** Long enough for what a fault has set in motion, such as health checks and a new lease, to come to rest. */
const QUIET_MS = 4_000;
/** A helper without work ends after five seconds. */
const HELPER_ENDS_WITHIN_MS = 15_000;
const MEGABYTE = 1024 * 1024;

/** Throws where the node is not over a fault within half a minute, or is not running and serving at the end. */
export async function soak({ seed, faults, durationMs, say }: SoakOptions): Promise<SoakReport> {
  const random = seeded(seed);
  const lab = await FaultLab.create();
  try {
    // What is loaded, compiled or remembered at the first fault of a kind is no leak.
    for (const fault of FAULTS) await goThrough(lab, fault);
    const before = await atRest(lab);
    say(`a running node: ${describe(before)}`);
    const startedMs = Date.now();
    const moments = Array.from({ length: faults }, () => random() * durationMs).sort((a, b) => a - b);
    const healed: SoakReport["healed"] = [];
    for (const momentMs of moments) {
      await pause(startedMs + momentMs - Date.now());
      const fault = pick(random);
      const { servedMs } = await goThrough(lab, fault);
      say(`${((Date.now() - startedMs) / 1_000).toFixed(1)} s: ${fault.name}: over it after ${servedMs} ms`);
      healed.push({ name: fault.name, servedMs, limitMs: fault.limitMs });
    }
    await pause(startedMs + durationMs - Date.now());
    const after = await atRest(lab);
    say(`at the end: ${describe(after)}`);
    return {
      healed,
      leaks: leaks(before, after),
      leftBehind: await switchOff(lab),
      residentGrowthBytes: after.residentBytes - before.residentBytes,
      heapGrowthBytes: after.heapBytes - before.heapBytes,
    };
  } finally {
    await lab.dispose();
  }
}

/** The lab as it was made, the node running, both guests served, and nothing going on. */
async function atRest(lab: FaultLab): Promise<Holdings> {
  await turnBack(lab);
  await lab.untilRunning();
  await lab.served("direct", Date.now());
  await lab.served("relayed", Date.now());
  await pause(QUIET_MS);
  await lab.until("nothing to be wrong", async () => {
    const { node, health } = await lab.state();
    return node.phase === "running" && health.overall === "good" && health.recovery.state === "idle";
  });
  return takeHoldings(lab);
}

/** What differs with sharing off; then the node ends, and every process with it. */
async function switchOff(lab: FaultLab): Promise<string[]> {
  await lab.control.call("node.off", {});
  const left = NetworkSnapshot.diff(lab.before, await NetworkSnapshot.take(lab.host));
  await lab.relays.sharing.node.stop();
  try {
    await pollUntil("the helper to end", () => lab.host.processes().length === 0, { timeoutMs: HELPER_ENDS_WITHIN_MS });
  } catch {
    left.push(...lab.host.processes().map(({ argv }) => `process: ${argv.join(" ")}`));
  }
  return left;
}

function pick(random: () => number): Fault {
  const fault = FAULTS[Math.floor(random() * FAULTS.length)];
  if (fault === undefined) throw new RangeError("there are no faults");
  return fault;
}

function describe({ processes, openFiles, residentBytes, heapBytes }: Holdings): string {
  const files = [...openFiles.values()].reduce((sum, count) => sum + count, 0);
  const [resident, heap] = [residentBytes, heapBytes].map((bytes) => (bytes / MEGABYTE).toFixed(1));
  return `${processes.length} processes (${processes.map((name) => name.replaceAll(/\S*\//g, "")).join(", ")}), ${files} open files, ${resident} MB resident, ${heap} MB of heap`;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

/** xorshift32 (Marsaglia, 2003): 0 to 1, the same for the same seed. */
function seeded(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}
