/** What a running node holds of its machine: compared before and after, it tells what was leaked. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import type { FaultLab } from "./fault-lab.ts";
import { NetworkSnapshot, nodeProgram } from "./lab/index.ts";

/** What comes and goes in a quiet node, such as a question to a name server, is gone at one of these looks. */
const LOOKS = 12;
const BETWEEN_LOOKS_MS = 250;

const KIB = 1024;

/** Every interface makes up its link-local address and the secret behind it, and a new one makes up new ones. */
const MADE_ANEW = /higgs0.*(fe80:|stable_secret)|fe80:.*dev higgs0/;

export interface Holdings {
  network: NetworkSnapshot;
  /** Program and first argument of every process, sorted. */
  processes: string[];
  /** Open files of the node's process by kind, the fewest that were seen. */
  openFiles: Map<string, number>;
  /** After a garbage collection. */
  heapBytes: number;
  residentBytes: number;
}

/** @param lab with a quiet, running node */
export async function takeHoldings(lab: FaultLab): Promise<Holdings> {
  const node = lab.host.processes().find(({ argv }) => argv.some((word) => word.endsWith("cli.mjs")));
  if (node === undefined) throw new Error("no node is running");
  const heapBytes = await collectGarbage(lab, node.pid);
  const residentBytes = residentBytesOf(node.outerPid);
  let processes = processNames(lab);
  const openFiles = openFilesOf(node.outerPid);
  for (let look = 1; look < LOOKS; look++) {
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_LOOKS_MS));
    const names = processNames(lab);
    if (names.length < processes.length) processes = names;
    const now = openFilesOf(node.outerPid);
    for (const [kind, count] of openFiles) openFiles.set(kind, Math.min(count, now.get(kind) ?? 0));
  }
  return { network: await NetworkSnapshot.take(lab.host), processes, openFiles, heapBytes, residentBytes };
}

/** Readable lines, one per thing that there is more of; what there is less of is no leak, except in the network. */
export function leaks(before: Holdings, after: Holdings): string[] {
  const more = surplus(before.processes, after.processes).map((name) => `process: ${name}`);
  const files = [...after.openFiles].flatMap(([kind, count]) => {
    const had = before.openFiles.get(kind) ?? 0;
    return count > had ? [`open files: ${count} of kind ${kind}, ${had} before`] : [];
  });
  const network = NetworkSnapshot.diff(before.network, after.network).filter((line) => !MADE_ANEW.test(line));
  return [...network, ...more, ...files];
}

/**
 * What is resident is measured when everything that can be let go of has been: the inspector, opened by SIGUSR1, collects the
 * garbage, and V8 gives empty pages back.
 */
async function collectGarbage(lab: FaultLab, pid: number): Promise<number> {
  lab.host.kill(pid, "SIGUSR1");
  const program = join(import.meta.dirname, "lab/clients/collect-garbage.ts");
  const printed = await lab.host.mustExec([nodeProgram(), program]);
  return (JSON.parse(printed) as { heapBytes: number }).heapBytes;
}

function residentBytesOf(outerPid: number): number {
  const status = readFileSync(`/proc/${outerPid}/status`, "utf8");
  return Number(/^VmRSS:\s+([0-9]+) kB$/m.exec(status)?.[1]) * KIB;
}

function processNames(lab: FaultLab): string[] {
  return lab.host
    .processes()
    .map(({ argv }) => argv.slice(0, 2).join(" "))
    .sort();
}

function openFilesOf(outerPid: number): Map<string, number> {
  const kinds = new Map<string, number>();
  for (const entry of readdirSync(`/proc/${outerPid}/fd`)) {
    try {
      const kind = readlinkSync(`/proc/${outerPid}/fd/${entry}`).replace(/:?\[[0-9]+\]$/, "");
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    } catch {
      // Closed while we looked.
    }
  }
  return kinds;
}

function surplus(before: readonly string[], after: readonly string[]): string[] {
  const left = [...before];
  return after.filter((name) => {
    const index = left.indexOf(name);
    if (index === -1) return true;
    left.splice(index, 1);
    return false;
  });
}
