/** One guest's TCP connection: several questions, answered as they come in (RFC 7766, section 6.2.1.1). */
import type { Socket } from "node:net";
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";
import { frameForTcp } from "./message.ts";

/** A connection without a whole question or an answer for this long is closed (RFC 7766, section 6.2.3). */
export const TCP_IDLE_MS = 10_000;

/** More questions wait in the socket's buffer until some are answered. */
const MAX_PIPELINED = 16;

/** A guest that asks without reading is cut off: two answers of the largest size are waiting then. */
const MAX_UNREAD_BYTES = 128 * 1024;

export interface TcpGuestOptions {
  clock: Clock;
  maxQueryBytes: number;
  /** Undefined where there is to be no answer. Never rejects. */
  answer: (message: Buffer) => Promise<Buffer | undefined>;
}

/** Serves until either side closes, or the guest breaks a limit. */
export function serveTcpGuest(socket: Socket, { clock, maxQueryBytes, answer }: TcpGuestOptions): void {
  let received: Buffer = Buffer.alloc(0);
  let outstanding = 0;
  let ended = false;
  let cancelIdle: CancelTimer = () => {};

  function armIdle(): void {
    cancelIdle();
    if (!socket.destroyed) cancelIdle = clock.after(TCP_IDLE_MS, () => socket.destroy());
  }

  function takeMessages(): void {
    while (outstanding < MAX_PIPELINED && received.length >= 2) {
      const length = received.readUInt16BE(0);
      if (length > maxQueryBytes) {
        socket.destroy();
        return;
      }
      if (received.length < 2 + length) break;
      const message = received.subarray(2, 2 + length);
      received = received.subarray(2 + length);
      armIdle();
      outstanding += 1;
      void answer(message).then(finish);
    }
    if (outstanding >= MAX_PIPELINED) socket.pause();
    else socket.resume();
  }

  function finish(message: Buffer | undefined): void {
    outstanding -= 1;
    if (socket.destroyed) return;
    if (message === undefined || socket.writableLength > MAX_UNREAD_BYTES) {
      socket.destroy();
      return;
    }
    socket.write(frameForTcp(message));
    armIdle();
    takeMessages();
    if (ended && outstanding === 0) socket.end();
  }

  socket.on("error", () => socket.destroy());
  socket.on("close", () => cancelIdle());
  socket.on("data", (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    takeMessages();
  });
  socket.on("end", () => {
    ended = true;
    if (outstanding === 0) socket.end();
  });
  armIdle();
}
