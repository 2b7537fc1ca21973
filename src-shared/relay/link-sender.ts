/**
 * The sending half of a link, the same on both sides: batches what the socket has room for, queues the
 * rest per session, and gives every session its turn when room comes.
 *
 *   send ──room?──▶ batcher ──▶ socket (at most 32 KiB not yet written)
 *     └──no──▶ queue of the session (drop-oldest) ──round robin, when a write is done──▶ batcher
 *
 * The bound on memory of one link is therefore 32 KiB, one slab, and its sessions' queues; the queues of all
 * links together stay within the process's `QueueBudget`.
 */
import type { CancelTimer, Clock } from "../clock.ts";
import { Batcher } from "./batcher.ts";
import { DropOldestQueue, type QueueBudget, SESSION_QUEUE_BYTES } from "./drop-oldest-queue.ts";
import { DATAGRAM_HEADER_BYTES, MAX_DATAGRAM_BYTES } from "./frame.ts";
import type { SlabPool } from "./slab-pool.ts";

/** Two full batches: one on its way to the kernel, one ready behind it. More only adds delay under overload. */
export const SOCKET_WINDOW_BYTES = 32 * 1024;

/** What a session may send in its turn: the largest packet on an Ethernet path, with room (deficit round robin). */
const TURN_BYTES = 2048;

export interface LinkSenderOptions {
  readonly clock: Clock;
  readonly soon: (action: () => void) => CancelTimer;
  readonly pool: SlabPool;
  readonly budget: QueueBudget;
  /** Hands one message to the socket; `done` when the kernel has taken it, or the socket has failed. */
  readonly write: (message: Uint8Array, done: () => void) => void;
  /**
   * Bytes the socket still holds: `bufferedAmount`. A kernel with room takes a message at once, but `done` comes
   * with the next tick; without this, what follows in the same turn would wait for nothing.
   */
  readonly backlogBytes?: () => number;
  /** Datagrams that were given up, for the counters. */
  readonly onDrop?: (datagrams: number) => void;
  readonly socketWindowBytes?: number;
  readonly sessionQueueBytes?: number;
  readonly flushAtBytes?: number;
  readonly busyHoldMs?: number;
}

export interface LinkSenderStats {
  readonly datagrams: number;
  readonly messages: number;
  readonly bytes: number;
  readonly dropped: number;
}

interface Waiting {
  readonly session: number;
  readonly queue: DropOldestQueue;
  /** Bytes this session may still send in its turn. */
  credit: number;
}

export class LinkSender {
  #options: LinkSenderOptions;
  #windowBytes: number;
  #batcher: Batcher;
  #waiting = new Map<number, Waiting>();
  /** Sessions with something waiting, in the order of their turns. */
  #turns: Waiting[] = [];
  #inFlightBytes = 0;
  #datagrams = 0;
  #messages = 0;
  #bytes = 0;
  #dropped = 0;
  #disposed = false;
  readonly #countDrop = (datagrams: number): void => {
    this.#dropped += datagrams;
    this.#options.onDrop?.(datagrams);
  };

  constructor(options: LinkSenderOptions) {
    this.#options = options;
    this.#windowBytes = options.socketWindowBytes ?? SOCKET_WINDOW_BYTES;
    this.#batcher = new Batcher({ ...options, write: (message, done) => this.#write(message, done) });
  }

  get stats(): LinkSenderStats {
    return { datagrams: this.#datagrams, messages: this.#messages, bytes: this.#bytes, dropped: this.#dropped };
  }

  /** Bytes handed to the socket that it has not written yet. */
  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }

  /** Bytes that wait in the queues of this link. */
  get queuedBytes(): number {
    let bytes = 0;
    for (const { queue } of this.#waiting.values()) bytes += queue.bytes;
    return bytes;
  }

  /** Sends or queues a datagram. An empty or oversized one is dropped and counted. Never throws, never waits. */
  send(session: number, payload: Uint8Array): void {
    if (this.#disposed || payload.length === 0 || payload.length > MAX_DATAGRAM_BYTES) {
      this.#countDrop(1);
      return;
    }
    if (this.#turns.length === 0 && this.#hasRoom(payload.length)) this.#append(session, payload);
    else this.#enqueue(session, payload);
  }

  /** Hands over the batch that is being gathered, for a sender that knows that nothing follows soon. */
  flush(): void {
    this.#batcher.flush();
  }

  /** Forgets what waits for a session that has ended. */
  closeSession(session: number): void {
    const waiting = this.#waiting.get(session);
    if (waiting === undefined) return;
    this.#waiting.delete(session);
    this.#turns = this.#turns.filter((other) => other !== waiting);
    const dropped = waiting.queue.clear();
    if (dropped > 0) this.#countDrop(dropped);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const { queue } of this.#waiting.values()) queue.clear();
    this.#waiting.clear();
    this.#turns = [];
    this.#batcher.dispose();
  }

  #hasRoom(payloadBytes: number): boolean {
    const { pendingBytes } = this.#batcher;
    const takenBytes = this.#inFlightBytes + pendingBytes;
    if (takenBytes === 0) return true;
    const roomBytes = this.#windowBytes - DATAGRAM_HEADER_BYTES - payloadBytes;
    if (takenBytes <= roomBytes) return true;
    // Asked only where it matters: most datagrams find room without.
    const { backlogBytes } = this.#options;
    return backlogBytes !== undefined && pendingBytes + backlogBytes() <= roomBytes;
  }

  #append(session: number, payload: Uint8Array): void {
    this.#datagrams++;
    this.#batcher.append(session, payload);
  }

  #enqueue(session: number, payload: Uint8Array): void {
    let waiting = this.#waiting.get(session);
    if (waiting === undefined) {
      const limitBytes = this.#options.sessionQueueBytes ?? SESSION_QUEUE_BYTES;
      waiting = { session, queue: new DropOldestQueue(this.#options.budget, this.#countDrop, limitBytes), credit: 0 };
      this.#waiting.set(session, waiting);
      this.#turns.push(waiting);
    }
    waiting.queue.push(payload);
  }

  #write(message: Uint8Array, done: () => void): void {
    const bytes = message.length;
    this.#inFlightBytes += bytes;
    this.#messages++;
    this.#bytes += bytes;
    this.#options.write(message, () => {
      this.#inFlightBytes -= bytes;
      done();
      if (!this.#disposed && this.#turns.length > 0) this.#serveTurns();
    });
  }

  /** Moves waiting datagrams into the batch while the socket has room, each session in its turn. */
  #serveTurns(): void {
    for (;;) {
      const waiting = this.#turns[0];
      if (waiting === undefined) break;
      const next = waiting.queue.peek();
      if (next === undefined) {
        this.#turns.shift();
        this.#waiting.delete(waiting.session);
        continue;
      }
      if (waiting.credit < next.length) {
        waiting.credit += TURN_BYTES;
        this.#turns.shift();
        this.#turns.push(waiting);
        continue;
      }
      if (!this.#hasRoom(next.length)) break;
      waiting.queue.shift();
      waiting.credit -= next.length;
      this.#append(waiting.session, next);
    }
    // Something waited, so the link is busy and its batch is as full as it may get: holding it gains nothing.
    this.#batcher.flush();
  }
}
