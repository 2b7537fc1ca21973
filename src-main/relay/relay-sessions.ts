/**
 * The relay's sessions at this end: for each one a UDP socket, connected to WireGuard on loopback, so that
 * WireGuard sees every guest under a source of its own, the same for as long as the session lasts, also while
 * the relay's connection is lost and found again.
 */
import { createSocket, type Socket } from "node:dgram";
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";
import type { SealedSession } from "../../src-shared/relay/control.ts";

/** A relay gives a node 256 sessions unless its operator changed that; each costs a socket and its buffers. */
const MAX_SESSIONS = 1024;
/** The relay closes silent sessions after 3 minutes; what it has forgotten to close goes after this. */
const IDLE_MS = 10 * 60_000;
const SWEEP_EVERY_MS = 60_000;
/** Datagrams that may wait for a socket to be bound, which takes a turn of the event loop. */
const MAX_WAITING = 64;
/** Asked for, not promised: the kernel's default holds only a few milliseconds of a fast flow. */
const BUFFER_BYTES = 1024 * 1024;
/** Beyond this WireGuard is what is slow; queueing more only delays. */
const MAX_SEND_QUEUE_BYTES = 1024 * 1024;

const LOOPBACK = "127.0.0.1";

export interface SessionsOptions {
  readonly clock: Clock;
  /** WireGuard's port on 127.0.0.1. */
  readonly wireguardPort: number;
  /** What WireGuard sends to the guest of a session. The bytes are the callee's. */
  readonly onAnswer: (session: number, payload: Uint8Array) => void;
  /** A session was ended here, because it was silent. */
  readonly onIdle: (session: number) => void;
  readonly maxSessions?: number;
}

interface Session {
  socket: Socket | undefined;
  /** Until the socket is connected. */
  waiting: Uint8Array[] | undefined;
  /** The guest's address as the relay alone can read it, kept for the relay. */
  seal: string | undefined;
  activeMs: number;
}

export class RelaySessions {
  readonly #options: SessionsOptions;
  readonly #maxSessions: number;
  readonly #sessions = new Map<number, Session>();
  readonly #cancelSweep: CancelTimer;
  #disposed = false;
  rxBytes = 0;
  txBytes = 0;
  dropped = 0;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#maxSessions = options.maxSessions ?? MAX_SESSIONS;
    this.#cancelSweep = this.#sweepLater();
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Takes in a session; one with the same id is replaced. False when there are as many as there may be. */
  open(id: number): boolean {
    this.close(id);
    if (this.#disposed || this.#sessions.size >= this.#maxSessions) return false;
    const activeMs = this.#options.clock.monotonicMs();
    this.#sessions.set(id, { socket: undefined, waiting: undefined, seal: undefined, activeMs });
    return true;
  }

  /** Keeps a seal for the relay, instead of the session's earlier one. */
  keepSeal(id: number, seal: string): void {
    const session = this.#sessions.get(id);
    if (session !== undefined) session.seal = seal;
  }

  /** The sessions that have a seal. */
  get sealed(): SealedSession[] {
    return [...this.#sessions].flatMap(([session, { seal }]) => (seal === undefined ? [] : [{ session, seal }]));
  }

  close(id: number): void {
    const session = this.#sessions.get(id);
    this.#sessions.delete(id);
    session?.socket?.close();
  }

  /** Ends all sessions but those the relay still has, and takes in what is new to us. The ids that found no room. */
  keepOnly(ids: readonly number[]): number[] {
    const kept = new Set(ids);
    for (const id of [...this.#sessions.keys()]) if (!kept.has(id)) this.close(id);
    return [...kept].filter((id) => !this.#sessions.has(id) && !this.open(id));
  }

  /** Passes a guest's datagram on to WireGuard. The bytes may be reused after the call. */
  deliver(id: number, payload: Uint8Array): void {
    const session = this.#sessions.get(id);
    if (session === undefined) {
      this.dropped++;
      return;
    }
    session.activeMs = this.#options.clock.monotonicMs();
    if (session.socket === undefined) this.#bind(id, session);
    if (session.waiting === undefined) this.#send(session, payload);
    else if (session.waiting.length < MAX_WAITING) session.waiting.push(Uint8Array.from(payload));
    else this.dropped++;
  }

  /** Closes every socket. Idempotent. */
  dispose(): void {
    this.#disposed = true;
    this.#cancelSweep();
    for (const id of [...this.#sessions.keys()]) this.close(id);
  }

  #bind(id: number, session: Session): void {
    const socket = createSocket({
      type: "udp4",
      // An address is a number already; the default goes through the resolver's queue.
      lookup: (address, _options, callback) => callback(null, address, 4),
    });
    session.socket = socket;
    session.waiting = [];
    socket.on("message", (payload) => {
      session.activeMs = this.#options.clock.monotonicMs();
      this.txBytes += payload.length;
      this.#options.onAnswer(id, payload);
    });
    // WireGuard may be away for a moment (ECONNREFUSED); guests send again.
    socket.on("error", () => undefined);
    socket.connect(this.#options.wireguardPort, LOOPBACK, (error?: Error) => {
      if (this.#sessions.get(id) !== session) return;
      const waiting = session.waiting ?? [];
      session.waiting = undefined;
      if (error !== undefined) {
        this.dropped += waiting.length;
        this.close(id);
        return;
      }
      enlargeBuffers(socket);
      for (const payload of waiting) this.#send(session, payload);
    });
  }

  #send(session: Session, payload: Uint8Array): void {
    const { socket } = session;
    if (socket === undefined || socket.getSendQueueSize() > MAX_SEND_QUEUE_BYTES) {
      this.dropped++;
      return;
    }
    this.rxBytes += payload.length;
    socket.send(payload, ignoreError);
  }

  #sweepLater(): CancelTimer {
    let cancel = this.#options.clock.after(SWEEP_EVERY_MS, () => {
      const beforeMs = this.#options.clock.monotonicMs() - IDLE_MS;
      for (const [id, { activeMs }] of [...this.#sessions]) {
        if (activeMs > beforeMs) continue;
        this.close(id);
        this.#options.onIdle(id);
      }
      cancel = this.#sweepLater();
    });
    return () => cancel();
  }
}

function ignoreError(): void {}

function enlargeBuffers(socket: Socket): void {
  try {
    socket.setRecvBufferSize(BUFFER_BYTES);
    socket.setSendBufferSize(BUFFER_BYTES);
  } catch {
    // The defaults work too, with more loss in bursts.
  }
}
