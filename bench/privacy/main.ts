/**
 * `npm run bench -- privacy [--seconds N | --full] [--rate N] [--rounds N] [--only storm,throughput]`
 *
 * storm: connections opened and closed through the node by a guest, and whether each is in the log. The kernel forgets
 * closed connections after seconds here instead of two minutes, so that they end within the benchmark.
 * throughput: what a guest downloads with the connection log on and off, in pairs.
 */
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { type Guest, INTERNET, labObstacle, nodeProgram, poll, WEB_NAME } from "../../e2e/lab/index.ts";
import { Sharing } from "../../e2e/sharing.ts";
import type { PrivacyState, Stored } from "../../src-shared/model/privacy.ts";
import { median, pairedRatio, table } from "../relay/stats.ts";

const DEFAULT_SECONDS = 15;
const FULL_SECONDS = 60;
const DEFAULT_RATE = 2_000;
const DEFAULT_ROUNDS = 9;
const DOWNLOAD_BYTES = 40_000_000;
const DOWNLOAD_TIMEOUT_MS = 120_000;
const FIRST_PORT = 9_000;
const PORTS = 40;

/** The kernel looks for ended connections at least once a minute. */
const LOGGED_WITHIN_MS = 120_000;
const LOOK_EVERY_MS = 500;
const PROGRAM_START_MS = 10_000;

type Shown = PrivacyState & { stored: Stored };

export async function main(options: readonly string[]): Promise<void> {
  const value = (name: string) => {
    const at = options.indexOf(name);
    return at === -1 ? undefined : options[at + 1];
  };
  const seconds = Number(value("--seconds") ?? (options.includes("--full") ? FULL_SECONDS : DEFAULT_SECONDS));
  const rate = Number(value("--rate") ?? DEFAULT_RATE);
  const rounds = Number(value("--rounds") ?? DEFAULT_ROUNDS);
  const only = value("--only")?.split(",") ?? ["storm", "throughput"];
  if (![seconds, rate, rounds].every((number) => Number.isInteger(number) && number > 0)) {
    process.stderr.write(
      "usage: npm run bench -- privacy [--seconds N | --full] [--rate N] [--rounds N] [--only storm,throughput]\n",
    );
    process.exitCode = 2;
    return;
  }
  const obstacle = labObstacle();
  if (obstacle !== undefined) {
    print(`not measured: ${obstacle}`);
    return;
  }
  const sharing = await Sharing.on();
  try {
    const guest = await sharing.connectGuest("Anna's laptop");
    print(`Privacy, ${process.version}, ${cpus().length} CPUs.`);
    if (only.includes("storm")) await storm(sharing, guest, seconds, rate);
    if (only.includes("throughput")) await throughput(sharing, guest, rounds);
  } finally {
    await sharing.dispose();
  }
}

async function storm(sharing: Sharing, guest: Guest, seconds: number, rate: number): Promise<void> {
  const { node } = sharing;
  const close = ["time_wait", "close", "close_wait", "last_ack", "fin_wait"].map(
    (name) => `net.netfilter.nf_conntrack_tcp_timeout_${name}=3`,
  );
  await node.host.mustExec(["sysctl", "-q", "-w", ...close]);
  await guest.host.mustExec(["sysctl", "-q", "-w", "net.ipv4.ip_local_port_range=1024 65535"]);
  const server = sharing.lab
    .host("inet")
    .spawn([nodeProgram(), program("accept-and-close.ts"), INTERNET.web.ipv4, String(FIRST_PORT), String(PORTS)]);
  await server.line((line) => line.includes('"ready":true'), PROGRAM_START_MS);
  await sharing.node.mustRun(["privacy", "purge"]);
  const before = await show(sharing);
  const pid = outerPid(sharing, "start");
  const idleBytes = memoryOf(pid).rss;
  const client = guest.host.spawn([
    nodeProgram(),
    program("open-and-close.ts"),
    INTERNET.web.ipv4,
    ...[FIRST_PORT, PORTS, rate, seconds].map(String),
  ]);
  const line = await client.line((text) => text.includes('"opened":'), seconds * 1000 + DOWNLOAD_TIMEOUT_MS);
  const load = JSON.parse(line) as { opened: number; failed: number; seconds: number };
  const after = await settled(sharing, load.opened);
  const { peak } = memoryOf(pid);
  const logged = after.stored.connections.count - before.stored.connections.count;
  const dropped = after.lost.kernel - before.lost.kernel;
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  print(`\nConnections opened and closed by a guest, ${seconds} s at ${rate}/s`);
  print(
    table(
      ["", "measured", "target"],
      [
        ["opened and closed", `${load.opened} (${Math.round(load.opened / seconds)}/s)`, `${rate * seconds}`],
        ["could not be opened", String(load.failed), "0"],
        ["logged", String(logged), ""],
        ["dropped by the kernel, counted and shown", String(dropped), ""],
        ["delivered by the kernel and not logged", String(Math.max(0, load.opened - dropped - logged)), "0"],
        ["not written", String(after.lost.notWritten), "0"],
        ["node's memory before, and at its peak", `${mib(idleBytes)}, ${mib(peak)}`, "below 150 MB"],
        ["size of the log on disk", mib(after.stored.connections.bytes), ""],
      ],
    ),
  );
  await server.stop();
}

/** Waits until every connection is accounted for, or no more are logged. */
async function settled(sharing: Sharing, opened: number): Promise<Shown> {
  let last = -1;
  let same = 0;
  return poll(
    "the log to be complete",
    async () => {
      const shown = await show(sharing);
      const known = shown.stored.connections.count + shown.lost.kernel;
      same = known === last ? same + 1 : 0;
      last = known;
      const quietMs = same * LOOK_EVERY_MS;
      return known >= opened || quietMs > LOGGED_WITHIN_MS / 2 ? shown : undefined;
    },
    { timeoutMs: LOGGED_WITHIN_MS, intervalMs: LOOK_EVERY_MS },
  );
}

async function throughput(sharing: Sharing, guest: Guest, rounds: number): Promise<void> {
  const on: number[] = [];
  const off: number[] = [];
  await download(guest);
  for (let round = 0; round < rounds; round++) {
    // The order changes from round to round, so that neither is always the first.
    for (const logged of round % 2 === 0 ? [true, false] : [false, true]) {
      await sharing.node.mustRun(["privacy", "set", `logMetadata=${logged}`]);
      (logged ? on : off).push(await download(guest));
    }
  }
  const mbit = (values: readonly number[]) => `${(median(values) / 1e6).toFixed(0)} Mbit/s`;
  print(`\nA guest's download of ${DOWNLOAD_BYTES / 1e6} MB, medians of ${rounds} pairs`);
  print(
    table(
      ["", "measured", "target"],
      [
        ["connection log off", mbit(off), ""],
        ["connection log on", mbit(on), ""],
        ["on/off", pairedRatio(on, off).toFixed(3), "at least 0.97"],
        ["pairs", on.map((value, index) => (value / (off[index] ?? Number.NaN)).toFixed(3)).join(" "), ""],
      ],
    ),
  );
}

/** Bits per second. */
async function download(guest: Guest): Promise<number> {
  const startedMs = performance.now();
  const got = await guest.fetch(`http://${WEB_NAME}/bytes?n=${DOWNLOAD_BYTES}&seed=1`, {
    family: 4,
    timeoutMs: DOWNLOAD_TIMEOUT_MS,
  });
  if (!got.ok || got.bytes !== DOWNLOAD_BYTES) throw new Error(`the download failed: ${JSON.stringify(got)}`);
  return (DOWNLOAD_BYTES * 8) / ((performance.now() - startedMs) / 1000);
}

async function show(sharing: Sharing): Promise<Shown> {
  return JSON.parse(await sharing.node.mustRun(["privacy", "show", "--json"])) as Shown;
}

function program(name: string): string {
  return join(import.meta.dirname, name);
}

/** Process id, as this machine sees it, of the node's process whose arguments hold `word`. */
function outerPid(sharing: Sharing, word: string): number {
  const found = sharing.node.host
    .processes()
    .find(({ argv }) => argv.some((each) => each.endsWith("cli.mjs")) && argv.includes(word));
  if (found === undefined) throw new Error("the node does not run");
  return found.outerPid;
}

/** proc_pid_status(5): resident now, and at most so far. */
function memoryOf(pid: number): { rss: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const bytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? Number.NaN) * 1024;
  return { rss: bytes("VmRSS"), peak: bytes("VmHWM") };
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
