/**
 * One WebSocket to a relay, the same for nodes and guests: its sender, its heartbeat, and what is refused.
 * Distrusts the relay: every size, rate and wait has a cap.
 */
import type { WebSocket } from "ws";
import type { z } from "zod";
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";
import {
  CLOSE_CODE,
  type ControlMessage,
  decodeControl,
  encodeControl,
  MAX_CONTROL_BYTES,
} from "../../src-shared/relay/control.ts";
import type { QueueBudget } from "../../src-shared/relay/drop-oldest-queue.ts";
import { DATAGRAMS_TYPE, DEFLATED_CONTROL_TYPE } from "../../src-shared/relay/frame.ts";
import { LinkSender } from "../../src-shared/relay/link-sender.ts";
import type { SlabPool } from "../../src-shared/relay/slab-pool.ts";
import { TokenBucket } from "../../src-shared/relay/token-bucket.ts";
import type { HiggsError } from "../../src-shared/result.ts";
import { compression } from "./compression.ts";
import { errorOfClose, errorOfConnection, errorOfPeer } from "./link-error.ts";

/** Control messages and pongs the relay may leave unread, beside the 32 KiB of datagrams. */
const MAX_UNREAD_BYTES = 256 * 1024;
/** A relay opens at most 50 sessions a second, and closes a node's 256 at once. */
const CONTROL_PER_SECOND = 200;
const CONTROL_BURST = 2_000;
/** From the first packet to the end of the handshake: six round trips on the slowest of links. */
const HANDSHAKE_WITHIN_MS = 6_000;
/** A lost path is noticed after three of these; a node whose guests wait asks more often than the relay demands. */
const MAX_PING_EVERY_MS = 5_000;
const SILENT_PINGS = 3;
/** A relay that does not answer our close frame is cut off after this. */
const CLOSE_WITHIN_MS = 1_000;

export interface LinkParts {
  readonly clock: Clock;
  readonly pool: SlabPool;
  readonly budget: QueueBudget;
}

export interface LinkHandler<M> {
  onOpen(): void;
  onControl(message: M): void;
  /** A whole type 1 message, not checked yet. */
  onDatagrams(message: Buffer): void;
  /** Called once, whoever closed; `closeCode` undefined when there was no close frame. */
  onClosed(error: HiggsError, closeCode: number | undefined): void;
}

export function soon(action: () => void): CancelTimer {
  const immediate = setImmediate(action);
  return () => clearImmediate(immediate);
}

export class ClientLink<S extends z.ZodType<ControlMessage>> {
  readonly #socket: WebSocket;
  readonly #schema: S;
  readonly #clock: Clock;
  readonly #handler: LinkHandler<z.output<S>>;
  readonly #sender: LinkSender;
  readonly #control: TokenBucket;
  #cancelTimer: CancelTimer | undefined;
  #cancelCut: CancelTimer | undefined;
  #error: HiggsError | undefined;
  #heardMs: number;
  #ping = { id: 0, sentMs: 0 };
  #rttMs: number | null = null;
  #localAddress: string | undefined;
  #closed = false;

  constructor(socket: WebSocket, schema: S, parts: LinkParts, handler: LinkHandler<z.output<S>>) {
    this.#socket = socket;
    this.#schema = schema;
    this.#clock = parts.clock;
    this.#handler = handler;
    const nowMs = parts.clock.monotonicMs();
    this.#heardMs = nowMs;
    this.#control = new TokenBucket(CONTROL_PER_SECOND, CONTROL_BURST, nowMs);
    const options = { binary: true, compress: false, fin: true };
    this.#sender = new LinkSender({
      ...parts,
      soon,
      write: (message, done) => socket.send(message, options, done),
      backlogBytes: () => socket.bufferedAmount,
    });
    this.#cancelTimer = parts.clock.after(HANDSHAKE_WITHIN_MS, () =>
      this.#giveUp({ code: "relay-timeout", message: "The relay did not answer in time." }),
    );
    socket.on("upgrade", ({ socket: { localAddress } }) => {
      this.#localAddress = localAddress;
    });
    socket.on("open", () => handler.onOpen());
    socket.on("message", (data: Buffer, isBinary: boolean) => this.#received(data, isBinary));
    socket.on("ping", (data: Buffer) => this.#pinged(data));
    socket.on("error", (error: Error) => {
      this.#error ??= errorOfConnection(error);
    });
    socket.on("close", (code: number, reason: Buffer) => {
      this.#cancelCut?.();
      this.#finish(this.#error ?? errorOfClose(code, reason.toString("utf8")), code);
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The last measured round trip; null before the first. */
  get rttMs(): number | null {
    return this.#rttMs;
  }

  /** This machine's end of the connection; undefined before it stands, and where a proxy's tunnel hides it. */
  get localAddress(): string | undefined {
    return this.#localAddress;
  }

  /** Datagrams given up on the way to the relay. */
  get dropped(): number {
    return this.#sender.stats.dropped;
  }

  /** Queues or sends one datagram; dropped when the link is closed. */
  sendData(session: number, payload: Uint8Array): void {
    this.#sender.send(session, payload);
  }

  flushBatch(): void {
    this.#sender.flush();
  }

  sendControl(message: ControlMessage): void {
    if (this.#closed || this.#isUnread()) return;
    this.#socket.send(encodeControl(message, compression));
  }

  forgetSession(session: number): void {
    this.#sender.closeSession(session);
  }

  /** The handshake is over: from now on both sides are heard from at least every `heartbeatMs`. */
  startHeartbeat(heartbeatMs: number): void {
    const everyMs = Math.min(heartbeatMs, MAX_PING_EVERY_MS);
    const beat = () => {
      const nowMs = this.#clock.monotonicMs();
      if (nowMs - this.#heardMs > everyMs * SILENT_PINGS) {
        this.#giveUp({ code: "relay-silent", message: "Nothing was heard from the relay for too long." });
        return;
      }
      this.#ping = { id: this.#ping.id + 1, sentMs: nowMs };
      this.sendControl({ type: "ping", id: this.#ping.id });
      if (!this.#closed) this.#cancelTimer = this.#clock.after(everyMs, beat);
    };
    this.#cancelTimer?.();
    beat();
  }

  /** Ends the link on purpose. Idempotent. */
  close(closeCode = 1000, error: HiggsError = { code: "relay-left", message: "The connection was ended here." }): void {
    if (this.#closed) return;
    this.#sender.flush();
    this.#cancelCut = this.#clock.after(CLOSE_WITHIN_MS, () => this.#socket.terminate());
    this.#socket.close(closeCode, error.code);
    this.#finish(error, undefined);
  }

  /** Ends the link at once, without a word to a relay that could not hear it. Idempotent. */
  abandon(error: HiggsError): void {
    this.#giveUp(error);
  }

  protocolError(what: string): void {
    this.close(CLOSE_CODE.protocolError, {
      code: "relay-protocol-error",
      message: `The relay does not keep to the protocol: ${what}.`,
      hint: "Ask its operator which version it runs, or use another relay.",
    });
  }

  #received(data: Buffer, isBinary: boolean): void {
    if (this.#closed) return;
    const nowMs = this.#clock.monotonicMs();
    this.#heardMs = nowMs;
    if (isBinary && data[0] === DATAGRAMS_TYPE) {
      this.#handler.onDatagrams(data);
      return;
    }
    if (!this.#control.take(1, nowMs)) return void this.protocolError("too many control messages");
    if (isBinary && data[0] !== DEFLATED_CONTROL_TYPE) return void this.protocolError("a message is of no known type");
    if (data.length > MAX_CONTROL_BYTES) return void this.protocolError("a control message is too long");
    const decoded = decodeControl(this.#schema, isBinary ? data : data.toString("utf8"), compression);
    if (!decoded.ok) return void this.protocolError(decoded.error.message);
    const message: ControlMessage = decoded.value;
    switch (message.type) {
      case "ping":
        this.sendControl({ type: "pong", id: message.id });
        return;
      case "pong":
        if (message.id === this.#ping.id) this.#rttMs = nowMs - this.#ping.sentMs;
        return;
      case "error":
        this.#error ??= errorOfPeer(message);
        return;
      default:
        this.#handler.onControl(decoded.value);
    }
  }

  /** Answered here and not by `ws`, which would queue pongs without end for a relay that does not read. */
  #pinged(data: Buffer): void {
    if (this.#closed) return;
    const nowMs = this.#clock.monotonicMs();
    this.#heardMs = nowMs;
    if (!this.#control.take(1, nowMs)) this.protocolError("too many pings");
    else if (!this.#isUnread()) this.#socket.pong(data);
  }

  #isUnread(): boolean {
    if (this.#socket.bufferedAmount <= MAX_UNREAD_BYTES) return false;
    this.#giveUp({ code: "relay-slow", message: "The relay does not read what it is sent." });
    return true;
  }

  #giveUp(error: HiggsError): void {
    if (this.#closed) return;
    this.#error = error;
    this.#socket.terminate();
    this.#finish(error, undefined);
  }

  #finish(error: HiggsError, closeCode: number | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelTimer?.();
    this.#sender.dispose();
    this.#handler.onClosed(error, closeCode);
  }
}
