/** A guest that asks, over UDP and TCP, and waits a bounded time for the answer. */
import { createSocket } from "node:dgram";
import { connect } from "node:net";

/** Long enough for a busy machine; a test that waits for it to pass is a test that fails. */
const PATIENCE_MS = 10_000;

/** A datagram can be lost on loopback too, when a socket's buffer is full; like any resolver, ask again then. */
const ASK_AGAIN_MS = 2_000;

export function askUdp(port: number, message: Buffer, from = "127.0.0.1", to = from): Promise<Buffer> {
  const socket = createSocket(to.includes(":") ? "udp6" : "udp4");
  const timers: NodeJS.Timeout[] = [];
  return new Promise<Buffer>((resolve, reject) => {
    timers.push(setTimeout(() => reject(new Error("no answer")), PATIENCE_MS));
    socket.on("error", reject);
    socket.on("message", resolve);
    socket.bind(0, from, () => {
      socket.send(message, port, to);
      timers.push(setInterval(() => socket.send(message, port, to), ASK_AGAIN_MS));
    });
  }).finally(() => {
    for (const timer of timers) clearTimeout(timer);
    socket.close();
  });
}

/** Sends `chunks` on one connection and resolves with every message received once the other side has closed, or after `count`. */
export function askTcp(port: number, chunks: readonly Buffer[], count = 1, from = "127.0.0.1"): Promise<Buffer[]> {
  const socket = connect({ port, host: "127.0.0.1", localAddress: from });
  return new Promise<Buffer[]>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("no answer")), PATIENCE_MS);
    const messages: Buffer[] = [];
    let received = Buffer.alloc(0);
    const finish = () => {
      clearTimeout(timer);
      resolve(messages);
    };
    socket.on("error", finish);
    socket.on("close", finish);
    socket.on("connect", () => {
      for (const chunk of chunks) socket.write(chunk);
    });
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0);
        messages.push(received.subarray(2, end));
        received = received.subarray(end);
      }
      if (messages.length >= count) finish();
    });
  }).finally(() => socket.destroy());
}
