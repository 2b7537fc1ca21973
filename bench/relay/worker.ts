/**
 * One end of a benchmarked connection, in a process of its own. The near end listens, as the relay does, the
 * far end connects, as a node does. What each does with packets is told by its job:
 *
 *   near: generate (saturate) or udp (send on what comes in); far: count, udp (send on), or throttle
 *
 * Speaks with its parent over IPC: one job in, `ready`, then results.
 */
import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import process from "node:process";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import { WebSocket, WebSocketServer } from "ws";
import { incoming, type Outgoing, outgoing, type Scheme } from "./schemes.ts";

export interface Job {
  readonly end: "near" | "far";
  readonly scheme: Scheme;
  readonly tls: { readonly cert: string; readonly key: string } | null;
  /** `down`: from the near end to the far end, `up`: the other way, masked. */
  readonly direction: "down" | "up";
  readonly source: "generate" | "udp";
  readonly sink: "count" | "udp" | "throttle";
  readonly packetBytes: number;
  /** For the far end: where the near end listens. */
  readonly port?: number;
  /** For a `udp` sink: where packets go. */
  readonly udpTo?: number;
  readonly throttleBytesPerSecond?: number;
  readonly offeredBytesPerSecond?: number;
  /** Leaves WebSocket masks zero, as a node does inside TLS. */
  readonly zeroMask?: boolean;
}

export type FromWorker =
  | { readonly type: "ready"; readonly port: number; readonly udpPort: number }
  | { readonly type: "connected" }
  | { readonly type: "counted"; readonly packets: number; readonly elapsedMs: number }
  | {
      readonly type: "cpu";
      readonly cpuMs: number;
      readonly packets: number;
      readonly dropped: number;
      readonly rssBytes: number;
    }
  | { readonly type: "delays"; readonly delaysMs: readonly number[]; readonly dropped: number };

export type ToWorker =
  | { readonly type: "job"; readonly job: Job }
  | { readonly type: "count"; readonly forMs: number }
  | { readonly type: "cpu" }
  | { readonly type: "delays" };

/** What a generator keeps ahead of the socket: enough to saturate it, below every drop bound. */
const MAX_AHEAD_BYTES = 96 * 1024;
/** Packets a turn of the event loop brings at most, as a busy UDP socket does. */
const PACKETS_PER_TURN = 32;
const THROTTLE_EVERY_MS = 2;

let out: Outgoing | undefined;
let packets = 0;
let countStart = 0;
let counted: ((payload: Buffer) => void) | undefined;
const delays: number[] = [];

function tell(message: FromWorker): void {
  process.send?.(message);
}

process.on("message", (message: ToWorker) => {
  switch (message.type) {
    case "job":
      begin(message.job);
      return;
    case "count":
      packets = 0;
      countStart = performance.now();
      setTimeout(() => {
        tell({ type: "counted", packets, elapsedMs: performance.now() - countStart });
      }, message.forMs);
      return;
    case "cpu": {
      const { user, system } = process.cpuUsage();
      const dropped = out?.dropped() ?? 0;
      tell({ type: "cpu", cpuMs: (user + system) / 1000, packets, dropped, rssBytes: process.memoryUsage.rss() });
      return;
    }
    case "delays":
      tell({ type: "delays", delaysMs: delays, dropped: out?.dropped() ?? 0 });
  }
});
process.on("disconnect", () => process.exit(0));

function begin(job: Job): void {
  const isSender = (job.end === "near") === (job.direction === "down");
  if (job.end === "near") listen(job, isSender);
  else dial(job, isSender);
}

function listen(job: Job, isSender: boolean): void {
  const udp = isSender && job.source === "udp" ? createSocket("udp4") : undefined;
  const use = (socket: WebSocket | Socket) => connected(job, isSender, socket, udp);
  const material = job.tls === null ? undefined : { cert: readFileSync(job.tls.cert), key: readFileSync(job.tls.key) };
  const server =
    job.scheme === "raw"
      ? material === undefined
        ? createServer({ noDelay: true }, use)
        : createTlsServer({ ...material, noDelay: true }, use)
      : material === undefined
        ? createHttpServer()
        : createHttpsServer(material);
  if (job.scheme !== "raw") {
    new WebSocketServer({ server: server as never, perMessageDeflate: false }).on("connection", use);
  }
  const ready = () => {
    server.listen(0, "127.0.0.1", () => {
      tell({ type: "ready", port: (server.address() as AddressInfo).port, udpPort: udp?.address().port ?? 0 });
    });
  };
  if (udp === undefined) ready();
  else {
    udp.bind(0, "127.0.0.1", () => {
      udp.setRecvBufferSize(1 << 20);
      ready();
    });
  }
}

function dial(job: Job, isSender: boolean): void {
  const port = job.port ?? 0;
  if (job.scheme === "raw") {
    const options = { port, host: "127.0.0.1", rejectUnauthorized: false };
    const socket = job.tls === null ? connect(options) : connectTls(options);
    socket.once(job.tls === null ? "connect" : "secureConnect", () => connected(job, isSender, socket, undefined));
    return;
  }
  // Absent from the type definitions.
  const masking = job.zeroMask === true ? { generateMask: (mask: Buffer) => mask.fill(0) } : {};
  const socket = new WebSocket(`${job.tls === null ? "ws" : "wss"}://127.0.0.1:${port}`, {
    perMessageDeflate: false,
    rejectUnauthorized: false,
    ...masking,
  });
  socket.once("open", () => connected(job, isSender, socket, undefined));
}

function connected(
  job: Job,
  isSender: boolean,
  socket: WebSocket | Socket,
  udp: ReturnType<typeof createSocket> | undefined,
): void {
  socket.on("error", () => process.exit(1));
  socket.on("close", () => process.exit(0));
  if (isSender) {
    out = outgoing(job.scheme, socket);
    if (udp !== undefined) {
      const to = out;
      udp.on("message", (payload) => {
        packets++;
        to.send(payload);
      });
    } else if (job.offeredBytesPerSecond !== undefined) offer(job, job.offeredBytesPerSecond, out);
    else generate(job, out);
  } else {
    counted = sink(job, socket);
    const take = counted;
    incoming(job.scheme, socket, take);
  }
  tell({ type: "connected" });
}

function generate(job: Job, to: Outgoing): void {
  const payload = Buffer.alloc(job.packetBytes, 7);
  const turn = () => {
    for (let index = 0; index < PACKETS_PER_TURN && to.pendingBytes() < MAX_AHEAD_BYTES; index++) to.send(payload);
    setImmediate(turn);
  };
  turn();
}

/** Sends at a steady rate whatever the link does, each packet with its time. */
function offer(job: Job, bytesPerSecond: number, to: Outgoing): void {
  const startMs = performance.now();
  let sentBytes = 0;
  const turn = () => {
    const dueBytes = ((performance.now() - startMs) / 1000) * bytesPerSecond;
    while (sentBytes < dueBytes) {
      const payload = Buffer.alloc(job.packetBytes);
      payload.writeDoubleLE(performance.timeOrigin + performance.now(), 0);
      to.send(payload);
      sentBytes += job.packetBytes;
    }
    setTimeout(turn, 1);
  };
  turn();
}

function sink(job: Job, socket: WebSocket | Socket): (payload: Buffer) => void {
  if (job.sink === "udp") {
    const udp = createSocket("udp4");
    // Whoever listens there may stop before this process does.
    udp.on("error", () => undefined);
    udp.connect(job.udpTo ?? 0, "127.0.0.1");
    let ready = false;
    udp.once("connect", () => {
      ready = true;
    });
    return (payload) => {
      packets++;
      if (ready) udp.send(payload);
    };
  }
  if (job.sink === "throttle") {
    let allowance = 0;
    const perTick = ((job.throttleBytesPerSecond ?? 0) * THROTTLE_EVERY_MS) / 1000;
    let atMs = performance.now();
    setInterval(() => {
      const nowMs = performance.now();
      allowance = Math.min(perTick * 20, allowance + (perTick * (nowMs - atMs)) / THROTTLE_EVERY_MS);
      atMs = nowMs;
      if (allowance > 0) socket.resume();
    }, THROTTLE_EVERY_MS);
    return (payload) => {
      delays.push(performance.timeOrigin + performance.now() - payload.readDoubleLE(0));
      allowance -= payload.length;
      if (allowance <= 0) socket.pause();
    };
  }
  return () => {
    packets++;
  };
}
