/**
 * `npm run bench -- relay [--rounds N] [--only hop,end-to-end,latency,overload,memory,nodes,path,peers]`
 *
 * Every scheme runs once per round; a ratio is the median over rounds of the ratio within one round.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { memory } from "./memory.ts";
import { nodes } from "./nodes.ts";
import { path } from "./path.ts";
import { peers } from "./peers.ts";
import type { Scheme } from "./schemes.ts";
import { median, pairedRatio, table } from "./stats.ts";
import { endToEnd, hop, type Latency, latency, type Overload, overload, type Tls } from "./tables.ts";

const TABLES = ["hop", "end-to-end", "latency", "overload", "memory", "nodes", "path", "peers"];
const DEFAULT_ROUNDS = 3;

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export async function main(options: readonly string[]): Promise<void> {
  const value = (name: string) => {
    const at = options.indexOf(name);
    return at === -1 ? undefined : options[at + 1];
  };
  const rounds = Number(value("--rounds") ?? DEFAULT_ROUNDS);
  const only = value("--only")?.split(",") ?? TABLES;
  const unknown = only.filter((name) => !TABLES.includes(name));
  if (!Number.isInteger(rounds) || rounds < 1 || unknown.length > 0) {
    process.stderr.write(`usage: npm run bench -- relay [--rounds N] [--only ${TABLES.join(",")}]\n`);
    process.exitCode = 2;
    return;
  }
  const dir = mkdtempSync(join(tmpdir(), "relay-bench-"));
  try {
    const tls = certificate(dir);
    print(`Relay, ${process.version}, ${cpus().length} CPUs, medians of ${rounds} paired rounds.`);
    print("Differences below 1.2x are noise; so are latencies apart by less than 0.1 ms.");
    if (tls === null) print("wss: not measured, openssl is needed to make a certificate.");
    const transports: [string, Tls][] =
      tls === null
        ? [["ws", null]]
        : [
            ["ws", null],
            ["wss", tls],
          ];
    if (only.includes("hop")) await hopTable(rounds, transports);
    if (only.includes("end-to-end")) await endToEndTable(rounds, transports);
    if (only.includes("latency")) await latencyTable(rounds, transports);
    if (only.includes("overload")) await overloadTable(rounds, transports);
    if (only.includes("memory")) await memory(transports, dir, print);
    if (only.includes("nodes")) await nodes(transports, dir, print);
    if (only.includes("path")) await path(rounds, print);
    if (only.includes("peers")) await peers(rounds, tls, dir, print);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function certificate(dir: string): Tls {
  const [cert, key] = [join(dir, "cert.pem"), join(dir, "key.pem")];
  const request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  try {
    execFileSync("openssl", [...request, "-subj", "/CN=localhost", "-keyout", key, "-out", cert], { stdio: "ignore" });
    return { cert, key };
  } catch {
    return null;
  }
}

/** Runs every scheme once per round, in the same order. */
async function measure<T>(schemes: readonly Scheme[], rounds: number, run: (scheme: Scheme) => Promise<T>) {
  const results = new Map<Scheme, T[]>(schemes.map((scheme) => [scheme, []]));
  for (let round = 0; round < rounds; round++) {
    for (const scheme of schemes) results.get(scheme)?.push(await run(scheme));
  }
  return (scheme: Scheme): T[] => results.get(scheme) ?? [];
}

const kilo = (perSecond: number) => `${(perSecond / 1000).toFixed(0)}k`;
const times = (ratio: number) => `${ratio.toFixed(2)}x`;
const ms = (value: number) => value.toFixed(2);

async function hopTable(rounds: number, transports: readonly [string, Tls][]): Promise<void> {
  const schemes: Scheme[] = ["single", "seed", "ours", "raw"];
  const targets: Record<string, string> = { "ws 96": "12x", "ws 1420": "5x", "wss 96": "1.8x", "wss 1420": "1.3x" };
  const rows: string[][] = [];
  for (const direction of ["down", "up"] as const) {
    for (const [name, tls] of transports) {
      for (const bytes of [96, 1420]) {
        const of = await measure(schemes, rounds, (scheme) => hop(scheme, bytes, tls, direction));
        const ratio = (scheme: Scheme, to: Scheme) => pairedRatio(of(scheme), of(to));
        rows.push([
          `${name} ${bytes} B ${direction === "down" ? "to the node" : "from the node"}`,
          ...schemes.map((scheme) => kilo(median(of(scheme)))),
          times(ratio("seed", "single")),
          times(ratio("ours", "single")),
          direction === "down" ? (targets[`${name} ${bytes}`] ?? "") : "",
          `${(ratio("ours", "raw") * 100).toFixed(0)} %`,
        ]);
      }
    }
  }
  print("\nOne hop, saturated, packets/s (target: ours/single; wss share of raw at least 75 %)");
  print(table(["", ...schemes, "seed/single", "ours/single", "target", "ours/raw"], rows));
}

async function endToEndTable(rounds: number, transports: readonly [string, Tls][]): Promise<void> {
  const schemes: Scheme[] = ["single", "seed", "immediate", "ours"];
  const rows: string[][] = [];
  for (const [name, tls] of transports) {
    for (const bytes of [96, 1420]) {
      const of = await measure(schemes, rounds, (scheme) => endToEnd(scheme, bytes, tls));
      rows.push([
        `${name} ${bytes} B`,
        ...schemes.map((scheme) => kilo(median(of(scheme)))),
        times(pairedRatio(of("ours"), of("single"))),
        name === "ws" ? "1.3x" : "1.0x",
      ]);
    }
  }
  print("\nEnd to end, UDP to UDP, packets/s");
  print(table(["", ...schemes, "ours/single", "target"], rows));
}

async function latencyTable(rounds: number, transports: readonly [string, Tls][]): Promise<void> {
  const schemes: Scheme[] = ["single", "immediate", "ours", "seed"];
  const rows: string[][] = [];
  for (const [name, tls] of transports) {
    for (const perSecond of [100, 5000]) {
      const of = await measure(schemes, rounds, (scheme) => latency(scheme, 1420, tls, perSecond));
      const pick = (scheme: Scheme, field: keyof Latency) => of(scheme).map((result) => result[field]);
      for (const scheme of schemes) {
        rows.push([
          `${name} ${perSecond}/s ${scheme}`,
          ms(median(pick(scheme, "p50Ms"))),
          ms(median(pick(scheme, "p99Ms"))),
          median(pick(scheme, "cpuMsPerSecond")).toFixed(0),
          times(pairedRatio(pick(scheme, "cpuMsPerSecond"), pick("single", "cpuMsPerSecond"))),
        ]);
      }
    }
  }
  print("\nLatency, UDP to UDP, 1420 B, and CPU of both ends");
  print("(targets: at 100/s p50 at most 0.2 ms above single, p99 at most 0.25x seed's; wss 5000/s CPU at most 0.85x)");
  print(table(["", "p50 ms", "p99 ms", "CPU ms/s", "CPU/single"], rows));
}

async function overloadTable(rounds: number, transports: readonly [string, Tls][]): Promise<void> {
  const schemes: Scheme[] = ["unbounded", "ours"];
  const rows: string[][] = [];
  for (const [name, tls] of transports) {
    const of = await measure(schemes, rounds, (scheme) => overload(scheme, 1420, tls));
    const pick = (scheme: Scheme, field: keyof Overload) => of(scheme).map((result) => result[field]);
    for (const scheme of schemes) {
      rows.push([
        `${name} ${scheme}`,
        median(pick(scheme, "p50Ms")).toFixed(0),
        median(pick(scheme, "p99Ms")).toFixed(0),
        times(pairedRatio(pick(scheme, "p99Ms"), pick("unbounded", "p99Ms"))),
        `${(median(pick(scheme, "senderRssBytes")) / 2 ** 20).toFixed(0)} MiB`,
        median(pick(scheme, "dropped")).toFixed(0),
      ]);
    }
  }
  print("\nOverload: twice what an 80 Mbit/s reader takes, 1420 B, for 2.5 s (target: p99 at most 0.6x)");
  print(table(["", "p50 ms", "p99 ms", "p99/unbounded", "sender RSS", "dropped"], rows));
}
