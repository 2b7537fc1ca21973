/**
 * `npm run bench -- port-mapping [--rounds N] [--compare]`
 *
 * Our clients against real routers in the lab, as ratios to the prototype they had to beat; with `--compare` the published
 * packages against the same routers, installed into a folder of their own for the occasion.
 */
import { join } from "node:path";
import process from "node:process";
import { LAN, Lab, labObstacle, nodeProgram } from "../../e2e/lab/index.ts";
import { median, percentile, table } from "../relay/stats.ts";
import { compare } from "./compare.ts";

const DEFAULT_ROUNDS = 15;
const WORKER_TIMEOUT_MS = 120_000;

/** Medians of a prototype of 200 lines, in milliseconds; deletions by NAT-PMP and UPnP were not measured. */
const MEASURED = [
  { protocol: "pcp", title: "PCP", prototype: { map: 16, delete: 14 }, targetMs: 25 },
  {
    protocol: "nat-pmp",
    title: "NAT-PMP, with address",
    prototype: { map: 25, delete: undefined },
    targetMs: undefined,
  },
  { protocol: "upnp", title: "UPnP IGD 2, with search", prototype: { map: 555, delete: undefined }, targetMs: 300 },
] as const;

export async function main(options: readonly string[]): Promise<void> {
  const at = options.indexOf("--rounds");
  const rounds = at === -1 ? DEFAULT_ROUNDS : Number(options[at + 1]);
  const known = new Set(["--rounds", "--compare", at === -1 ? "" : options[at + 1]]);
  if (!Number.isInteger(rounds) || rounds < 1 || options.some((option) => !known.has(option))) {
    process.stderr.write("usage: npm run bench -- port-mapping [--rounds N] [--compare]\n");
    process.exitCode = 2;
    return;
  }
  const obstacle = labObstacle();
  if (obstacle !== undefined) {
    process.stderr.write(`not measured: ${obstacle}\n`);
    process.exitCode = 1;
    return;
  }
  print(`Port mapping, ${process.version}, real miniupnpd, medians of ${rounds} rounds, milliseconds.`);
  print(await ours(rounds));
  if (options.includes("--compare")) {
    const { header, rows } = await compare();
    print("\nPublished packages, one UDP mapping of port 51820: what the router has, and how long it took");
    print(table(header, rows));
  }
}

async function ours(rounds: number): Promise<string> {
  await using lab = await Lab.create({ ipv6: false });
  const worker = join(import.meta.dirname, "worker.ts");
  const rows: string[][] = [];
  for (const { protocol, title, prototype, targetMs } of MEASURED) {
    const network = [LAN.router.ipv4, LAN.node.ipv4, LAN.ipv4];
    const argv = [nodeProgram(), worker, protocol, ...network, String(rounds)];
    const printed = await lab.host("node").mustExec(argv, { timeoutMs: WORKER_TIMEOUT_MS });
    const { mapMs, deleteMs } = JSON.parse(printed) as { mapMs: number[]; deleteMs: number[] };
    rows.push([
      title,
      ms(median(mapMs)),
      ms(percentile(mapMs, 90)),
      ratio(median(mapMs), prototype.map),
      targetMs === undefined ? "" : `${targetMs}`,
      ms(median(deleteMs)),
      prototype.delete === undefined ? "" : ratio(median(deleteMs), prototype.delete),
    ]);
  }
  return table(["", "map", "p90", "map/prototype", "target", "delete", "delete/prototype"], rows);
}

const ms = (value: number) => value.toFixed(1);
const ratio = (value: number, prototypeMs: number) => `${(value / prototypeMs).toFixed(2)}x of ${prototypeMs}`;

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
