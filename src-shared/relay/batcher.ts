/**
 * Joins datagrams into type 1 messages. The first datagram of a batch decides when it leaves:
 *
 *   last flush 1 ms ago or more → at the end of this turn of the event loop (`soon`)
 *   less than that              → when that millisecond is over, or in the turn that brings the 32nd datagram
 *   the next one would make it more than 16 KiB → at once
 *
 * So a lone packet waits for nothing, and a busy link makes fewer, larger messages at a cost of at most
 * about a millisecond. (`soon` must be a macrotask: each datagram arrives in a turn of its own, and a
 * microtask runs before the next one is read.)
 */
import type { CancelTimer, Clock } from "../clock.ts";
import {
  DATAGRAM_HEADER_BYTES,
  DATAGRAMS_TYPE,
  MAX_MESSAGE_BYTES,
  MESSAGE_HEADER_BYTES,
  writeDatagram,
} from "./frame.ts";
import type { Slab, SlabPool } from "./slab-pool.ts";

/**
 * What fits one TLS record (RFC 8446, section 5.1: 2^14 bytes) with the longest WebSocket header. A message
 * across two records arrives in two pieces, and the receiver has to copy it together.
 */
const FLUSH_AT_BYTES = 16 * 1024 - 16;
/** Measured: holding a busy link's batch this long saves a quarter of the CPU. */
const BUSY_HOLD_MS = 1;
/** What Node reads from a UDP socket in one turn: with as many in a message, its own cost is no longer felt. */
const HOLD_UP_TO_DATAGRAMS = 32;

export interface BatcherOptions {
  readonly clock: Clock;
  /** Runs `action` at the end of this turn of the event loop: `setImmediate`. */
  readonly soon: (action: () => void) => CancelTimer;
  readonly pool: SlabPool;
  /** Takes a message. Its bytes stay untouched until `done` is called, once, on success or failure. */
  readonly write: (message: Uint8Array, done: () => void) => void;
  readonly flushAtBytes?: number;
  readonly busyHoldMs?: number;
}

export class Batcher {
  #options: BatcherOptions;
  #flushAtBytes: number;
  #busyHoldMs: number;
  #slab: Slab | undefined;
  #start = 0;
  #end = 0;
  #pendingDatagrams = 0;
  #lastFlushMs = Number.NEGATIVE_INFINITY;
  #cancel: CancelTimer | undefined;
  #disposed = false;
  /** A call that an earlier batch asked for may find a younger one, which has its own millisecond. */
  readonly #due = (): void => {
    this.#cancel = undefined;
    if (this.pendingBytes === 0) return;
    if (this.#pendingDatagrams >= HOLD_UP_TO_DATAGRAMS || this.#holdMs() <= 0) this.flush();
    else this.#schedule();
  };

  constructor(options: BatcherOptions) {
    this.#options = options;
    this.#flushAtBytes = options.flushAtBytes ?? FLUSH_AT_BYTES;
    this.#busyHoldMs = options.busyHoldMs ?? BUSY_HOLD_MS;
  }

  /** Bytes of the message that is being gathered, 0 when there is none. */
  get pendingBytes(): number {
    return this.#end - this.#start;
  }

  /** Adds a datagram of 1 to `MAX_DATAGRAM_BYTES` bytes; it is copied. Throws RangeError for any other. */
  append(session: number, payload: Uint8Array): void {
    if (this.#disposed) return;
    const need = DATAGRAM_HEADER_BYTES + payload.length;
    // A message longer than one record is sent for a datagram that is longer than one record, alone.
    if (
      this.pendingBytes > 0 &&
      (this.pendingBytes + need > this.#flushAtBytes || this.#end + need > MAX_MESSAGE_BYTES)
    ) {
      this.flush();
    }
    const slab = this.pendingBytes > 0 && this.#slab !== undefined ? this.#slab : this.#begin(need);
    this.#end = writeDatagram(slab.bytes, this.#end, session, payload);
    this.#pendingDatagrams++;
    if (this.pendingBytes >= this.#flushAtBytes) this.flush();
    else if (this.#pendingDatagrams === HOLD_UP_TO_DATAGRAMS) {
      this.#cancel?.();
      this.#cancel = this.#options.soon(this.#due);
    } else if (this.#cancel === undefined) this.#schedule();
  }

  /** Hands over what was gathered, if anything. A call that is scheduled stays so: timers cost more than a look. */
  flush(): void {
    const slab = this.#slab;
    if (slab === undefined || this.pendingBytes === 0) return;
    const message = slab.bytes.subarray(this.#start, this.#end);
    this.#start = this.#end;
    this.#pendingDatagrams = 0;
    this.#lastFlushMs = this.#options.clock.monotonicMs();
    slab.inFlight++;
    let finished = false;
    this.#options.write(message, () => {
      if (finished) return;
      finished = true;
      slab.inFlight--;
      this.#releaseIfIdle(slab);
    });
  }

  /** Forgets what was gathered. What was handed over stays valid until its `done`. */
  dispose(): void {
    this.#disposed = true;
    this.#cancel?.();
    this.#cancel = undefined;
    const slab = this.#slab;
    this.#start = this.#end;
    if (slab !== undefined) this.#releaseIfIdle(slab);
  }

  /** Opens a message with room for `need` more bytes: behind the last one, or in a fresh slab. */
  #begin(need: number): Slab {
    let slab = this.#slab;
    if (slab === undefined || this.#end + MESSAGE_HEADER_BYTES + need > slab.bytes.length) {
      slab = this.#options.pool.take();
      this.#slab = slab;
      this.#end = 0;
    }
    this.#start = this.#end;
    slab.bytes[this.#end] = DATAGRAMS_TYPE;
    this.#end += MESSAGE_HEADER_BYTES;
    return slab;
  }

  #schedule(): void {
    const holdMs = this.#holdMs();
    this.#cancel = holdMs <= 0 ? this.#options.soon(this.#due) : this.#options.clock.after(holdMs, this.#due);
  }

  #holdMs(): number {
    return this.#busyHoldMs - (this.#options.clock.monotonicMs() - this.#lastFlushMs);
  }

  #releaseIfIdle(slab: Slab): void {
    if (slab.inFlight > 0) return;
    if (slab === this.#slab) {
      if (this.pendingBytes > 0) return;
      this.#slab = undefined;
      this.#start = 0;
      this.#end = 0;
    }
    this.#options.pool.give(slab);
  }
}
