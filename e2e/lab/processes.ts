/** Processes by namespace, read from proc(5). */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

export interface HostProcess {
  /** Process id inside the host. */
  pid: number;
  /** Process id as the process that holds the lab sees it. */
  outerPid: number;
  argv: string[];
}

/** All processes in a PID namespace, named as `pid:[4026532…]`. */
export function processesOf(pidNamespace: string): HostProcess[] {
  return eachProcess((entry) => {
    if (readlinkSync(`/proc/${entry}/ns/pid`) !== pidNamespace) return undefined;
    const inner = /^NSpid:.*?([0-9]+)$/m.exec(readFileSync(`/proc/${entry}/status`, "utf8"));
    return { pid: Number(inner?.[1]), outerPid: Number(entry), argv: argvOf(entry) };
  });
}

const KINDS = ["net", "mnt", "uts", "pid"] as const;

/** The namespaces a process is in, as /proc/PID/ns names them. */
export function namespacesOf(pid: number | string): string[] {
  return KINDS.map((kind) => readlinkSync(`/proc/${pid}/ns/${kind}`));
}

/** argv of every process that is in one of the namespaces. */
export function processesUsing(namespaces: readonly string[]): string[][] {
  const wanted = new Set(namespaces);
  return eachProcess((entry) => (namespacesOf(entry).some((name) => wanted.has(name)) ? argvOf(entry) : undefined));
}

function argvOf(entry: string): string[] {
  return readFileSync(`/proc/${entry}/cmdline`, "utf8").split("\0").slice(0, -1);
}

function eachProcess<T>(look: (entry: string) => T | undefined): T[] {
  return readdirSync("/proc")
    .filter((entry) => /^[0-9]+$/.test(entry))
    .flatMap((entry) => {
      try {
        const found = look(entry);
        return found === undefined ? [] : [found];
      } catch {
        // It ended while we looked.
        return [];
      }
    });
}
