/**
 * The ways of putting datagrams on a connection that are compared:
 *
 *   single     one WebSocket message per packet
 *   seed       up to 10 packets or 10 ms: `u16 count {u16 size, data}*`
 *   ours       LinkSender, as the relay uses it
 *   immediate  ours without the hold of a busy link
 *   unbounded  our batches, but everything handed to the socket at once
 *   raw        `{u16 size, data}*` on a bare stream in adaptive batches: what no WebSocket can beat
 */
import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { systemClock } from "../../src-shared/clock.ts";
import { Batcher } from "../../src-shared/relay/batcher.ts";
import { QueueBudget } from "../../src-shared/relay/drop-oldest-queue.ts";
import { walkDatagrams } from "../../src-shared/relay/frame.ts";
import { LinkSender } from "../../src-shared/relay/link-sender.ts";
import { SlabPool } from "../../src-shared/relay/slab-pool.ts";

export const SCHEMES = ["single", "seed", "ours", "immediate", "unbounded", "raw"] as const;
export type Scheme = (typeof SCHEMES)[number];

export interface Outgoing {
  send(payload: Buffer): void;
  /** Bytes taken and not yet written to the kernel. */
  pendingBytes(): number;
  dropped(): number;
}

const SEED_BATCH_PACKETS = 10;
const SEED_BATCH_MS = 10;
const RAW_FLUSH_BYTES = 16 * 1024;
const MAX_PACKET_BYTES = 2 * 1024;
const OPTIONS = { binary: true, compress: false, fin: true };

function soon(action: () => void): () => void {
  const immediate = setImmediate(action);
  return () => clearImmediate(immediate);
}

export function outgoing(scheme: Scheme, socket: WebSocket | Socket): Outgoing {
  if ("remoteAddress" in socket) return rawOutgoing(socket);
  switch (scheme) {
    case "single":
      return {
        send: (payload) => socket.send(payload, OPTIONS),
        pendingBytes: () => socket.bufferedAmount,
        dropped: () => 0,
      };
    case "seed":
      return seedOutgoing(socket);
    case "ours":
    case "immediate": {
      const sender = new LinkSender({
        clock: systemClock,
        soon,
        pool: new SlabPool((bytes) => Buffer.allocUnsafeSlow(bytes)),
        budget: new QueueBudget(),
        write: (message, done) => socket.send(message, OPTIONS, done),
        backlogBytes: () => socket.bufferedAmount,
        ...(scheme === "immediate" ? { busyHoldMs: 0 } : {}),
      });
      return {
        send: (payload) => sender.send(1, payload),
        pendingBytes: () => sender.inFlightBytes + sender.queuedBytes,
        dropped: () => sender.stats.dropped,
      };
    }
    case "unbounded": {
      const batcher = new Batcher({
        clock: systemClock,
        soon,
        pool: new SlabPool((bytes) => Buffer.allocUnsafeSlow(bytes)),
        write: (message, done) => socket.send(message, OPTIONS, done),
      });
      return {
        send: (payload) => batcher.append(1, payload),
        pendingBytes: () => socket.bufferedAmount,
        dropped: () => 0,
      };
    }
    case "raw":
      throw new TypeError("raw needs a stream");
  }
}

function seedOutgoing(socket: WebSocket): Outgoing {
  let batch: Buffer[] = [];
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    const packets = batch;
    batch = [];
    const message = Buffer.allocUnsafe(2 + packets.reduce((sum, { length }) => sum + 2 + length, 0));
    message.writeUInt16BE(packets.length, 0);
    let at = 2;
    for (const packet of packets) {
      message.writeUInt16BE(packet.length, at);
      packet.copy(message, at + 2);
      at += 2 + packet.length;
    }
    socket.send(message, OPTIONS);
  };
  return {
    send(payload) {
      batch.push(payload);
      if (batch.length >= SEED_BATCH_PACKETS) flush();
      else timer ??= setTimeout(flush, SEED_BATCH_MS);
    },
    pendingBytes: () => socket.bufferedAmount,
    dropped: () => 0,
  };
}

function rawOutgoing(socket: Socket): Outgoing {
  const free: Buffer[] = [];
  const take = () => free.pop() ?? Buffer.allocUnsafeSlow(RAW_FLUSH_BYTES + MAX_PACKET_BYTES);
  let buffer = take();
  let at = 0;
  let scheduled = false;
  const flush = () => {
    scheduled = false;
    if (at === 0) return;
    const written = buffer;
    socket.write(written.subarray(0, at), () => free.push(written));
    buffer = take();
    at = 0;
  };
  return {
    send(payload) {
      buffer.writeUInt16BE(payload.length, at);
      payload.copy(buffer, at + 2);
      at += 2 + payload.length;
      if (at >= RAW_FLUSH_BYTES) flush();
      else if (!scheduled) {
        scheduled = true;
        setImmediate(flush);
      }
    },
    pendingBytes: () => socket.writableLength,
    dropped: () => 0,
  };
}

/** Calls `onPacket` for each packet that comes in. */
export function incoming(scheme: Scheme, socket: WebSocket | Socket, onPacket: (payload: Buffer) => void): void {
  if ("remoteAddress" in socket) {
    let rest: Buffer = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      let at = 0;
      // Only the packet that lies across two chunks is put together; all others are read where they are.
      while (rest.length > 0 && at < chunk.length) {
        const need = rest.length < 2 ? 2 - rest.length : 2 + rest.readUInt16BE(0) - rest.length;
        const end = Math.min(chunk.length, at + need);
        rest = Buffer.concat([rest, chunk.subarray(at, end)]);
        at = end;
        if (rest.length >= 2 && rest.length === 2 + rest.readUInt16BE(0)) {
          onPacket(rest.subarray(2));
          rest = rest.subarray(rest.length);
        }
      }
      while (chunk.length - at >= 2) {
        const end = at + 2 + chunk.readUInt16BE(at);
        if (end > chunk.length) break;
        onPacket(chunk.subarray(at + 2, end));
        at = end;
      }
      if (at < chunk.length) rest = Buffer.from(chunk.subarray(at));
    });
    return;
  }
  socket.on("message", (message: Buffer) => {
    if (scheme === "single") onPacket(message);
    else if (scheme === "seed") {
      let at = 2;
      for (let left = message.readUInt16BE(0); left > 0; left--) {
        const end = at + 2 + message.readUInt16BE(at);
        onPacket(message.subarray(at + 2, end));
        at = end;
      }
    } else walkDatagrams(message, (_session, start, end) => onPacket(message.subarray(start, end)));
  });
}
