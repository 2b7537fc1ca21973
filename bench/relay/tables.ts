/** The measurements, one function per figure. The caller runs the schemes one after the other, round by round. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { type Pair, startPair } from "./rig.ts";
import type { Scheme } from "./schemes.ts";
import { percentile } from "./stats.ts";
import type { Job } from "./worker.ts";

export type Tls = Job["tls"];

/** Connections and code are warm after this. */
const WARM_MS = 250;
const COUNT_MS = 600;
/** Packets on their way at once: keeps every stage busy and no buffer overflowing. */
const END_TO_END_WINDOW = 192;
/** A packet that is not back after this is lost, and its place in the window is given to another. */
const LOST_AFTER_MS = 100;
const LATENCY_RUN_MS = 1500;
const OVERLOAD_RUN_MS = 2500;
/** A link of about 80 Mbit/s: slow beside loopback, fast enough that kernel buffers do not hide the queue. */
const OVERLOAD_LINK_BYTES_PER_SECOND = 10_000_000;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Packets/s over a saturated hop: `down` from the listening end, `up` from the masking client. */
export async function hop(scheme: Scheme, packetBytes: number, tls: Tls, direction: "down" | "up"): Promise<number> {
  const zeroMask = direction === "up" && tls !== null && scheme !== "single" && scheme !== "seed";
  const pair = await startPair({ scheme, tls, direction, zeroMask, source: "generate", sink: "count", packetBytes });
  try {
    await pause(WARM_MS);
    const receiver = direction === "down" ? pair.far : pair.near;
    const { packets, elapsedMs } = await receiver.ask({ type: "count", forMs: COUNT_MS }, "counted");
    return packets / (elapsedMs / 1000);
  } finally {
    await pair.stop();
  }
}

interface Loop {
  readonly pair: Pair;
  /** Sends packets into the near end's UDP port. */
  readonly source: Socket;
  /** Gets what the far end sends on. */
  readonly sink: Socket;
  close(): Promise<void>;
}

/** UDP → connection → UDP, with both outer ends in this process. */
async function loop(scheme: Scheme, packetBytes: number, tls: Tls): Promise<Loop> {
  const sink = createSocket("udp4");
  sink.bind(0, "127.0.0.1");
  await once(sink, "listening");
  sink.setRecvBufferSize(1 << 20);
  const udpTo = sink.address().port;
  const pair = await startPair({ scheme, tls, direction: "down", source: "udp", sink: "udp", packetBytes, udpTo });
  const source = createSocket("udp4");
  source.connect(pair.udpPort, "127.0.0.1");
  await once(source, "connect");
  return {
    pair,
    source,
    sink,
    async close() {
      source.close();
      sink.close();
      await pair.stop();
    },
  };
}

/** Packets/s end to end, with a window of packets on their way. */
export async function endToEnd(scheme: Scheme, packetBytes: number, tls: Tls): Promise<number> {
  const { source, sink, close } = await loop(scheme, packetBytes, tls);
  try {
    const payload = Buffer.alloc(packetBytes, 7);
    let received = 0;
    let outstanding = 0;
    let heardMs = performance.now();
    const fill = () => {
      while (outstanding < END_TO_END_WINDOW) {
        outstanding++;
        source.send(payload);
      }
    };
    sink.on("message", () => {
      received++;
      outstanding--;
      heardMs = performance.now();
      if (outstanding < END_TO_END_WINDOW / 2) fill();
    });
    const revive = setInterval(() => {
      if (performance.now() - heardMs < LOST_AFTER_MS) return;
      outstanding = 0;
      heardMs = performance.now();
      fill();
    }, LOST_AFTER_MS / 2);
    fill();
    await pause(WARM_MS);
    const [before, startMs] = [received, performance.now()];
    await pause(COUNT_MS);
    clearInterval(revive);
    return (received - before) / ((performance.now() - startMs) / 1000);
  } finally {
    await close();
  }
}

export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU time of both ends per second. */
  readonly cpuMsPerSecond: number;
}

/** Delay from UDP to UDP at a steady rate, and the CPU time it takes. */
export async function latency(scheme: Scheme, packetBytes: number, tls: Tls, perSecond: number): Promise<Latency> {
  const { pair, source, sink, close } = await loop(scheme, packetBytes, tls);
  try {
    const delays: number[] = [];
    let measuring = false;
    sink.on("message", (payload) => {
      if (measuring) delays.push(performance.now() - payload.readDoubleLE(0));
    });
    let sent = 0;
    let running = true;
    const startMs = performance.now();
    // Turns of the event loop, not timers: a timer is late by up to a millisecond, and sends in bursts then.
    const turn = () => {
      if (!running) return;
      const due = ((performance.now() - startMs) / 1000) * perSecond;
      if (sent < due) {
        sent++;
        const payload = Buffer.alloc(packetBytes);
        payload.writeDoubleLE(performance.now(), 0);
        source.send(payload);
      }
      if (perSecond > 1000) setImmediate(turn);
      else setTimeout(turn, 2);
    };
    turn();
    await pause(WARM_MS * 2);
    measuring = true;
    const cpu = async () => {
      const ends = await Promise.all([pair.near, pair.far].map((end) => end.ask({ type: "cpu" }, "cpu")));
      return ends.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
    };
    const [cpuBefore, beforeMs] = [await cpu(), performance.now()];
    await pause(LATENCY_RUN_MS);
    const cpuMs = (await cpu()) - cpuBefore;
    const seconds = (performance.now() - beforeMs) / 1000;
    measuring = false;
    running = false;
    return { p50Ms: percentile(delays, 50), p99Ms: percentile(delays, 99), cpuMsPerSecond: cpuMs / seconds };
  } finally {
    await close();
  }
}

export interface Overload {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly senderRssBytes: number;
  readonly dropped: number;
}

/** Delay at twice what the link carries. */
export async function overload(scheme: Scheme, packetBytes: number, tls: Tls): Promise<Overload> {
  const pair = await startPair({
    scheme,
    tls,
    direction: "down",
    source: "generate",
    sink: "throttle",
    packetBytes,
    throttleBytesPerSecond: OVERLOAD_LINK_BYTES_PER_SECOND,
    offeredBytesPerSecond: OVERLOAD_LINK_BYTES_PER_SECOND * 2,
  });
  try {
    await pause(OVERLOAD_RUN_MS);
    const { delaysMs } = await pair.far.ask({ type: "delays" }, "delays");
    const { rssBytes, dropped } = await pair.near.ask({ type: "cpu" }, "cpu");
    return { p50Ms: percentile(delaysMs, 50), p99Ms: percentile(delaysMs, 99), senderRssBytes: rssBytes, dropped };
  } finally {
    await pair.stop();
  }
}
