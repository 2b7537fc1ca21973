/** Beside what others use for the same: udptunnel through stunnel, UDP to UDP over TLS, under overload. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startPair } from "./rig.ts";
import { median, pairedRatio, percentile, table } from "./stats.ts";
import type { Tls } from "./tables.ts";

const PACKET_BYTES = 1420;
/** More than either gets through on two cores. */
const OFFERED_PER_SECOND = 150_000;
const WARM_MS = 500;
const RUN_MS = 1500;
const READY_WITHIN_MS = 5000;

interface Measured {
  readonly perSecond: number;
  readonly p50Ms: number;
}

export async function peers(rounds: number, tls: Tls, dir: string, print: (text: string) => void): Promise<void> {
  const missing = ["udptunnel", "stunnel"].filter((name) => spawnSync("which", [name]).status !== 0);
  if (tls === null || missing.length > 0) {
    print(
      `\nudptunnel+stunnel: not measured, ${missing.length > 0 ? `${missing.join(" and ")} not installed` : "no certificate"}.`,
    );
    return;
  }
  const ours: Measured[] = [];
  const theirs: Measured[] = [];
  for (let round = 0; round < rounds; round++) {
    theirs.push(await tunnel(tls, dir, 27_000 + round * 10));
    ours.push(await relay(tls));
  }
  const pick = (results: readonly Measured[], field: keyof Measured) => results.map((result) => result[field]);
  const row = (name: string, results: readonly Measured[]) => [
    name,
    median(pick(results, "perSecond")).toFixed(0),
    pairedRatio(pick(results, "perSecond"), pick(theirs, "perSecond")).toFixed(2),
    median(pick(results, "p50Ms")).toFixed(1),
    pairedRatio(pick(theirs, "p50Ms"), pick(results, "p50Ms")).toFixed(1),
  ];
  print(`\nPeers: UDP to UDP over TLS, ${PACKET_BYTES} B, ${OFFERED_PER_SECOND}/s offered`);
  print("(targets: at least 0.9x their packets, p50 at least 20x lower)");
  print(
    table(
      ["", "packets/s", "ratio", "p50 ms", "times lower"],
      [row("udptunnel+stunnel", theirs), row("ours, wss", ours)],
    ),
  );
}

/** Offers packets to `port` and takes them in at `sinkPort`. */
async function drive(
  port: number,
  sinkPort: number,
  start: (sinkPort: number) => Promise<number | undefined>,
): Promise<Measured> {
  // udptunnel has bound the port it sends to, on every address; the more specific socket gets the datagrams.
  const sink = createSocket({ type: "udp4", reuseAddr: true });
  sink.bind(sinkPort, "127.0.0.1");
  await once(sink, "listening");
  sink.setRecvBufferSize(1 << 20);
  const target = (await start(sink.address().port)) ?? port;
  const source = createSocket("udp4");
  source.connect(target, "127.0.0.1");
  await once(source, "connect");
  source.on("error", () => undefined);
  const delays: number[] = [];
  let measuring = false;
  sink.on("message", (payload) => {
    if (measuring) delays.push(performance.now() - payload.readDoubleLE(0));
  });
  const startMs = performance.now();
  let sent = 0;
  let running = true;
  const turn = () => {
    if (!running) return;
    const due = ((performance.now() - startMs) / 1000) * OFFERED_PER_SECOND;
    for (let burst = 0; sent < due && burst < 32; burst++, sent++) {
      const payload = Buffer.alloc(PACKET_BYTES);
      payload.writeDoubleLE(performance.now(), 0);
      source.send(payload);
    }
    setImmediate(turn);
  };
  turn();
  await pause(WARM_MS);
  measuring = true;
  const fromMs = performance.now();
  await pause(RUN_MS);
  measuring = false;
  running = false;
  const perSecond = delays.length / ((performance.now() - fromMs) / 1000);
  source.close();
  sink.close();
  return { perSecond, p50Ms: percentile(delays, 50) };
}

async function relay(tls: Tls): Promise<Measured> {
  const stops: (() => Promise<void>)[] = [];
  try {
    return await drive(0, 0, async (udpTo) => {
      const pair = await startPair({
        scheme: "ours",
        tls,
        direction: "down",
        source: "udp",
        sink: "udp",
        packetBytes: PACKET_BYTES,
        udpTo,
      });
      stops.push(() => pair.stop());
      return pair.udpPort;
    });
  } finally {
    for (const stop of stops) await stop();
  }
}

/** udptunnel (UDP in) → stunnel client → stunnel server → udptunnel (UDP out). */
async function tunnel(tls: NonNullable<Tls>, dir: string, base: number): Promise<Measured> {
  const [udpIn, plainIn, secured, plainOut, sinkPort] = [base, base + 1, base + 2, base + 3, base + 4];
  const children: ChildProcess[] = [];
  const run = (program: string, args: readonly string[]) => children.push(spawn(program, args, { stdio: "ignore" }));
  const stunnel = (name: string, lines: readonly string[]) => {
    const file = join(dir, `${name}-${base}.conf`);
    const common = ["foreground = yes", "debug = 0", "socket = l:TCP_NODELAY=1", "socket = r:TCP_NODELAY=1", "pid ="];
    writeFileSync(file, `${[...common, ...lines].join("\n")}\n`);
    run("stunnel", [file]);
  };
  try {
    run("udptunnel", ["-s", String(plainOut), `127.0.0.1/${sinkPort}`]);
    const accept = [`accept = 127.0.0.1:${secured}`, `connect = 127.0.0.1:${plainOut}`];
    stunnel("server", ["[relay]", ...accept, `cert = ${tls.cert}`, `key = ${tls.key}`]);
    stunnel("client", ["client = yes", "[relay]", `accept = 127.0.0.1:${plainIn}`, `connect = 127.0.0.1:${secured}`]);
    await listening(plainOut);
    await listening(secured);
    await listening(plainIn);
    // Sends what comes out of the tunnel where it takes things in, so its far end must be somewhere else.
    run("udptunnel", ["-c", `127.0.0.1/${plainIn}`, `127.0.0.1/${udpIn}`]);
    await pause(300);
    return await drive(udpIn, sinkPort, async () => undefined);
  } finally {
    for (const child of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  }
}

/** Looks at the kernel's table instead of connecting: udptunnel serves one connection, and a probe would be it. */
async function listening(port: number): Promise<void> {
  const untilMs = performance.now() + READY_WITHIN_MS;
  const entry = new RegExp(`:${port.toString(16).toUpperCase().padStart(4, "0")} [0-9A-F]{8}:0000 0A `);
  while (!entry.test(readFileSync("/proc/net/tcp", "utf8"))) {
    if (performance.now() > untilMs) throw new Error(`nobody listens on port ${port}`);
    await pause(20);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
