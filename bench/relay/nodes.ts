/** A thousand nodes on one server, each with a guest that sends 10 packets a second and gets each of them back. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { join } from "node:path";
import { TestNode, wireguard } from "../../src-server/testing/test-node.ts";
import { type ServerProcess, startServer } from "./server-process.ts";
import { percentile, table } from "./stats.ts";
import type { Tls } from "./tables.ts";

const NODES = 1000;
const PER_SECOND_EACH = 10;
const PACKET_BYTES = 128;
const TURN_MS = 2;
const WARM_MS = 2_000;
const RUN_MS = 10_000;
/** On a busy machine the one process that plays everybody is seconds behind. */
const DRAIN_MS = 4_000;
const BATCH = 20;

interface Guest {
  readonly socket: Socket;
  readonly index: number;
}

interface Counts {
  /** Packets sent before this are not counted, however late they come. */
  sinceMs: number;
  sent: number;
  toNodes: number;
  back: number;
  readonly toNodeMs: number[];
  readonly backMs: number[];
}

export async function nodes(
  transports: readonly [string, Tls][],
  dir: string,
  print: (text: string) => void,
): Promise<void> {
  const rows: string[][] = [];
  for (const [name, tls] of transports) {
    // All of them come from one address here.
    const limits = ["halfOpenPerSource=1000", "sessionsPerSource=2000"].flatMap((limit) => [
      "--set",
      `limits.${limit}`,
    ]);
    const server = await startServer(join(dir, `nodes-${name}`), tls, ["--udp-ports", "25000-26999", ...limits]);
    const stops: (() => void)[] = [];
    try {
      rows.push([name, ...(await run(server, tls, stops))]);
    } finally {
      for (const stop of stops) stop();
      await server.stop();
    }
  }
  print(
    `\n${NODES} nodes on one server, ${PER_SECOND_EACH} packets/s each way and node, ${PACKET_BYTES} B, ${RUN_MS / 1000} s`,
  );
  print("(targets: no loss; delays include the queueing of the one process that plays all nodes and guests)");
  const delays = ["to node p50 ms", "p99", "there and back p50 ms", "p99"];
  print(table(["", "sent", "lost", "lost back", ...delays, "CPU ms/s", "idle", "busy", "per node"], rows));
}

async function run(server: ServerProcess, tls: Tls, stops: (() => void)[]): Promise<string[]> {
  const counts: Counts = { sinceMs: Number.POSITIVE_INFINITY, sent: 0, toNodes: 0, back: 0, toNodeMs: [], backMs: [] };
  const emptyBytes = await server.settledBytes();
  const guests: Guest[] = [];
  for (let done = 0; done < NODES; done += BATCH) {
    const indices = Array.from({ length: BATCH }, (_, at) => done + at);
    guests.push(...(await Promise.all(indices.map((index) => pair(server.url, tls, index, counts, stops)))));
  }
  const idleBytes = await server.settledBytes();
  await send(guests, counts, WARM_MS);
  await pause(DRAIN_MS);
  counts.sent = 0;
  counts.sinceMs = performance.now();
  const [cpuBefore, beforeMs] = [server.cpuMs(), performance.now()];
  const busyBytes = await send(guests, counts, RUN_MS, server);
  const cpuPerSecond = ((server.cpuMs() - cpuBefore) / (performance.now() - beforeMs)) * 1000;
  await pause(DRAIN_MS);
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  return [
    String(counts.sent),
    String(counts.sent - counts.toNodes),
    String(counts.toNodes - counts.back),
    ...[counts.toNodeMs, counts.backMs].flatMap((ms) => [percentile(ms, 50).toFixed(2), percentile(ms, 99).toFixed(2)]),
    cpuPerSecond.toFixed(0),
    mib(idleBytes),
    mib(busyBytes),
    `${((busyBytes - emptyBytes) / NODES / 1000).toFixed(1)} KB`,
  ];
}

/** A node that sends every packet back, and a guest whose address is proven. */
async function pair(url: string, tls: Tls, index: number, counts: Counts, stops: (() => void)[]): Promise<Guest> {
  const node = new TestNode(url, undefined, tls === null ? {} : { rejectUnauthorized: false });
  stops.push(() => node.vanish());
  node.onDatagram = (session, payload) => {
    if (payload[0] === 1) node.sendDatagram(session, wireguard.response(NODES + index, index));
    else {
      const sentMs = payload.readDoubleLE(16);
      if (sentMs >= counts.sinceMs) {
        counts.toNodes++;
        counts.toNodeMs.push(performance.now() - sentMs);
      }
      payload.writeUInt32LE(index, 4);
      node.sendDatagram(session, payload);
    }
  };
  const { udp } = await node.register();
  const socket = createSocket("udp4");
  stops.push(() => socket.close());
  socket.connect(udp.port, "127.0.0.1");
  await once(socket, "connect");
  socket.send(wireguard.initiation(index));
  await once(socket, "message");
  socket.on("message", (payload) => {
    const sentMs = payload.readDoubleLE(16);
    if (sentMs < counts.sinceMs) return;
    counts.back++;
    counts.backMs.push(performance.now() - sentMs);
  });
  return { socket, index };
}

/** Sends at a steady rate, the guests in turn. The server's memory at its highest, where one is given. */
async function send(guests: readonly Guest[], counts: Counts, forMs: number, server?: ServerProcess): Promise<number> {
  const startMs = performance.now();
  let sent = 0;
  let peakBytes = 0;
  for (let nowMs = startMs; nowMs - startMs < forMs; nowMs = performance.now()) {
    const due = ((nowMs - startMs) / 1000) * PER_SECOND_EACH * guests.length;
    for (; sent < due; sent++) {
      const { socket, index } = guests[sent % guests.length] as Guest;
      const payload = wireguard.data(NODES + index, PACKET_BYTES, sent);
      payload.writeDoubleLE(performance.now(), 16);
      socket.send(payload);
    }
    if (server !== undefined && sent % 1000 < 25) peakBytes = Math.max(peakBytes, server.residentBytes());
    await pause(TURN_MS);
  }
  counts.sent += sent;
  return peakBytes;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
