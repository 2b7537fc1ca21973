/**
 * One WebSocket of a node or a guest: its sender, its heartbeat, and the refusals that are the same for both.
 * Distrusts the peer: every size, rate and wait has a cap, and every cap a reason that is counted.
 */
import type { WebSocket } from "ws";
import type { z } from "zod";
import type { CancelTimer, Clock } from "../src-shared/clock.ts";
import {
  CLOSE_CODE,
  type ControlMessage,
  decodeControl,
  encodeControl,
  MAX_CONTROL_BYTES,
} from "../src-shared/relay/control.ts";
import type { QueueBudget } from "../src-shared/relay/drop-oldest-queue.ts";
import { DATAGRAMS_TYPE, DEFLATED_CONTROL_TYPE } from "../src-shared/relay/frame.ts";
import { LinkSender } from "../src-shared/relay/link-sender.ts";
import type { SlabPool } from "../src-shared/relay/slab-pool.ts";
import { TokenBucket } from "../src-shared/relay/token-bucket.ts";
import type { HiggsError } from "../src-shared/result.ts";
import { compression } from "./compression.ts";
import type { Config } from "./config.ts";
import type { Counters, RefusalReason } from "./counters.ts";
import type { Log } from "./log.ts";

/** Control messages and pongs a peer may leave unread, beside the 32 KiB of datagrams. */
const MAX_UNREAD_BYTES = 256 * 1024;
/** A peer that is silent for this many heartbeats is gone. */
const SILENT_HEARTBEATS = 3;
/** Seconds of control messages that may come at once: a node closing its sessions after a resume. */
const CONTROL_BURST_SECONDS = 10;
/** A peer that does not answer our close frame is cut off after this. */
const CLOSE_WITHIN_MS = 1_000;

export interface LinkContext {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: Counters;
  readonly pool: SlabPool;
  readonly budget: QueueBudget;
}

export interface LinkHandler<M> {
  onControl(message: M): void;
  /** A whole type 1 message, not checked yet. */
  onDatagrams(message: Buffer): void;
  /** Called once, whoever closed. */
  onClosed(): void;
}

export function soon(action: () => void): CancelTimer {
  const immediate = setImmediate(action);
  return () => clearImmediate(immediate);
}

export class Link<S extends z.ZodType<ControlMessage>> {
  #socket: WebSocket;
  #schema: S;
  #handler: LinkHandler<z.output<S>>;
  #context: LinkContext;
  #sender: LinkSender;
  #control: TokenBucket;
  #cancelHeartbeat: CancelTimer | undefined;
  #cancelCut: CancelTimer | undefined;
  #heardMs: number;
  #nextPing = 0;
  #closed = false;

  constructor(socket: WebSocket, schema: S, context: LinkContext, handler: LinkHandler<z.output<S>>) {
    this.#socket = socket;
    this.#schema = schema;
    this.#context = context;
    this.#handler = handler;
    const { clock, config, counters, pool, budget } = context;
    const nowMs = clock.monotonicMs();
    this.#heardMs = nowMs;
    const perSecond = config.limits.controlMessagesPerSecond;
    this.#control = new TokenBucket(perSecond, perSecond * CONTROL_BURST_SECONDS, nowMs);
    const options = { binary: true, compress: false, fin: true };
    this.#sender = new LinkSender({
      clock,
      soon,
      pool,
      budget,
      write: (message, done) => socket.send(message, options, done),
      backlogBytes: () => socket.bufferedAmount,
      onDrop: (datagrams) => {
        counters.dropped["queue-full"] += datagrams;
      },
    });
    socket.on("message", (data: Buffer, isBinary: boolean) => this.#received(data, isBinary));
    socket.on("ping", (data: Buffer) => this.#pinged(data));
    socket.on("error", (error: Error) => {
      const code = (error as NodeJS.ErrnoException).code ?? "";
      // `ws` closes by itself on frames it cannot take; everything else is the network's doing.
      if (code.startsWith("WS_ERR")) counters.refused["protocol-error"]++;
      context.log.debug("link-error", { code, message: error.message });
    });
    socket.on("close", () => this.#ended());
  }

  get closed(): boolean {
    return this.#closed;
  }

  sendDatagram(session: number, payload: Uint8Array): void {
    this.#sender.send(session, payload);
  }

  forgetSession(session: number): void {
    this.#sender.closeSession(session);
  }

  sendControl(message: ControlMessage): void {
    if (this.#closed || this.#isUnread()) return;
    this.#socket.send(encodeControl(message, compression));
  }

  startHeartbeat(): void {
    const { clock, config } = this.#context;
    const beat = () => {
      if (this.#closed) return;
      if (clock.monotonicMs() - this.#heardMs > config.heartbeatMs * SILENT_HEARTBEATS) {
        this.refuse("heartbeat", CLOSE_CODE.timeout, { code: "silent", message: "nothing was heard for too long" });
        return;
      }
      this.sendControl({ type: "ping", id: this.#nextPing++ });
      this.#cancelHeartbeat = clock.after(config.heartbeatMs, beat);
    };
    this.#cancelHeartbeat = clock.after(config.heartbeatMs, beat);
  }

  /** Says why, counts it, and closes. */
  refuse(reason: RefusalReason, closeCode: number, error: HiggsError): void {
    if (this.#closed) return;
    this.#context.counters.refused[reason]++;
    this.#context.log.info("link-refused", { reason, code: error.code, message: error.message });
    this.sendControl({ type: "error", ...error });
    this.close(closeCode, error.code);
  }

  protocolError(code: string, message: string): void {
    this.refuse("protocol-error", CLOSE_CODE.protocolError, { code, message });
  }

  close(closeCode: number, reason: string): void {
    if (this.#closed) return;
    this.#socket.close(closeCode, reason);
    this.#cancelCut ??= this.#context.clock.after(CLOSE_WITHIN_MS, () => this.#socket.terminate());
    this.#finish();
  }

  #received(data: Buffer, isBinary: boolean): void {
    if (this.#closed) return;
    const nowMs = this.#context.clock.monotonicMs();
    this.#heardMs = nowMs;
    if (isBinary && data[0] === DATAGRAMS_TYPE) {
      this.#handler.onDatagrams(data);
      return;
    }
    if (!this.#control.take(1, nowMs)) {
      this.refuse("control-flood", CLOSE_CODE.policy, { code: "control-flood", message: "too many control messages" });
      return;
    }
    if (isBinary && data[0] !== DEFLATED_CONTROL_TYPE) {
      this.protocolError("wrong-type", "a binary message is of no known type");
      return;
    }
    if (data.length > MAX_CONTROL_BYTES) {
      const message = `a control message is longer than ${MAX_CONTROL_BYTES} bytes`;
      this.refuse("protocol-error", CLOSE_CODE.tooBig, { code: "control-too-long", message });
      return;
    }
    const decoded = decodeControl(this.#schema, isBinary ? data : data.toString("utf8"), compression);
    if (!decoded.ok) {
      this.protocolError(decoded.error.code, decoded.error.message);
      return;
    }
    const message: ControlMessage = decoded.value;
    if (message.type === "ping") this.sendControl({ type: "pong", id: message.id });
    else if (message.type !== "pong") this.#handler.onControl(decoded.value);
  }

  /** Answered here and not by `ws`, which would queue pongs without end for a peer that does not read. */
  #pinged(data: Buffer): void {
    if (this.#closed) return;
    const nowMs = this.#context.clock.monotonicMs();
    this.#heardMs = nowMs;
    if (!this.#control.take(1, nowMs)) {
      this.refuse("control-flood", CLOSE_CODE.policy, { code: "control-flood", message: "too many pings" });
    } else if (!this.#isUnread()) this.#socket.pong(data);
  }

  /** Cuts off a peer that leaves more unread than it may. */
  #isUnread(): boolean {
    if (this.#socket.bufferedAmount <= MAX_UNREAD_BYTES) return false;
    this.#context.counters.refused["slow-reader"]++;
    this.#context.log.info("link-refused", { reason: "slow-reader" });
    this.#socket.terminate();
    this.#finish();
    return true;
  }

  #ended(): void {
    this.#cancelCut?.();
    this.#cancelCut = undefined;
    this.#finish();
  }

  #finish(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelHeartbeat?.();
    this.#sender.dispose();
    this.#handler.onClosed();
  }
}
