/** A whole bosonserver in a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Tls } from "./tables.ts";

const SERVER = fileURLToPath(new URL("../../src-server/bin.ts", import.meta.url));
/** Garbage that was not collected yet is not what a session costs. */
const COLLECT_ON_SIGNAL = "data:text/javascript,process.on('SIGUSR2',()=>{gc();gc()})";
const SETTLE_MS = 1500;

export interface ServerProcess {
  readonly url: string;
  /** Where its metrics are. */
  readonly admin: string;
  /** Resident memory once garbage is collected. */
  settledBytes(): Promise<number>;
  residentBytes(): number;
  cpuMs(): number;
  stop(): Promise<void>;
}

/** @param more flags beside those that keep it on loopback and quiet */
export async function startServer(dataDir: string, tls: Tls, more: readonly string[]): Promise<ServerProcess> {
  const args = ["--expose-gc", "--import", COLLECT_ON_SIGNAL, SERVER, "start", "--data-dir", dataDir];
  args.push("--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--stun", "off", "--log-level", "error");
  args.push("--udp-host", "127.0.0.1", "--server-name", "localhost");
  if (tls !== null) args.push("--tls-cert", tls.cert, "--tls-key", tls.key);
  const child = spawn(process.execPath, [...args, ...more], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  const { url, admin } = JSON.parse(line) as { url: string; admin: string };
  return {
    url,
    admin,
    async settledBytes() {
      child.kill("SIGUSR2");
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      return residentBytes(child);
    },
    residentBytes: () => residentBytes(child),
    cpuMs: () => cpuMs(child),
    async stop() {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

function residentBytes({ pid }: ChildProcess): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}

/** User and system time (proc(5): fields 14 and 15 of stat, in ticks of 10 ms). */
function cpuMs({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
