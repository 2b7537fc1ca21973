/**
 * STUN binding answers over UDP (RFC 8489), for nodes of this relay and for anybody else.
 *
 * A forged source gets at most 1.6 times the octets that were sent in its name over IPv4, 2.2 times over IPv6, headers
 * not counted, and no more than a few answers a second: no lever for anybody.
 */
import { createSocket, type Socket } from "node:dgram";
import { type AddressInfo, isIPv6 } from "node:net";
import type { CancelTimer, Clock } from "../src-shared/clock.ts";
import { TokenBucket } from "../src-shared/relay/token-bucket.ts";
import { errorOf, fail, ok, type Result } from "../src-shared/result.ts";
import { decodeBindingRequest, encodeBindingAnswer, sourceOf } from "../src-shared/stun/message.ts";
import type { Counters } from "./counters.ts";
import { networkOf } from "./source-limiter.ts";

/** A client asks once and repeats itself a few times; a home has several. */
const ANSWERS_PER_SECOND = 5;
const ANSWER_BURST = 20;
/** Of all sources together: what one core answers beside its other work. */
const TOTAL_PER_SECOND = 5_000;
/** Sources whose rate is on record; a stranger for whom there is no room waits. */
const MAX_TRACKED = 16_384;
/** Long enough for every bucket to be full again. */
const SWEEP_EVERY_MS = 10_000;

export interface StunOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly clock: Clock;
  readonly counters: Counters;
}

export class StunServer {
  readonly #socket: Socket;
  readonly #options: StunOptions;
  readonly #sources = new Map<string, TokenBucket>();
  readonly #total: TokenBucket;
  #cancelSweep: CancelTimer = () => {};
  #closed = false;

  private constructor(socket: Socket, options: StunOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#total = new TokenBucket(TOTAL_PER_SECOND, TOTAL_PER_SECOND, options.clock.monotonicMs());
    socket.on("message", (message, { address, port }) => this.#answer(message, address, port));
    this.#sweepLater();
  }

  /** Binds; on `::` for both families where the system lets it. Fails with `stun-port-unusable`. */
  static async open(options: StunOptions): Promise<Result<StunServer>> {
    const first = await bind(options.host, options.port);
    // A machine without IPv6 has no `::` to bind; what was meant is "everywhere".
    const retry = first instanceof Error && options.host === "::" && codeOf(first) !== "EADDRINUSE";
    const socket = retry ? await bind("0.0.0.0", options.port) : first;
    if (!(socket instanceof Error)) return ok(new StunServer(socket, options));
    return fail(
      "stun-port-unusable",
      `cannot listen on UDP ${options.host} port ${options.port} for STUN: ${errorOf(socket).message}`,
      "Choose another port with --stun ADDRESS:PORT, or switch it off with --stun off.",
    );
  }

  get address(): AddressInfo {
    return this.#socket.address();
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelSweep();
    this.#socket.close();
  }

  #answer(message: Buffer, from: string, port: number): void {
    const { counters } = this.#options;
    const request = decodeBindingRequest(message);
    const address = sourceOf(from);
    // Port 0 is nobody's, and an answer to it would be an error of ours.
    if (request === undefined || address === undefined || port === 0) return;
    if (!this.#admit(from)) {
      counters.stunLimited++;
      return;
    }
    counters.stunAnswers++;
    this.#socket.send(encodeBindingAnswer(request, { address, port }), port, from, () => undefined);
  }

  #admit(from: string): boolean {
    const nowMs = this.#options.clock.monotonicMs();
    const network = networkOf(from);
    let source = this.#sources.get(network);
    if (source === undefined) {
      if (this.#sources.size >= MAX_TRACKED) return false;
      source = new TokenBucket(ANSWERS_PER_SECOND, ANSWER_BURST, nowMs);
      this.#sources.set(network, source);
    }
    return source.has(1, nowMs) && this.#total.take(1, nowMs) && source.take(1, nowMs);
  }

  #sweepLater(): void {
    this.#cancelSweep = this.#options.clock.after(SWEEP_EVERY_MS, () => {
      const nowMs = this.#options.clock.monotonicMs();
      for (const [network, bucket] of this.#sources) if (bucket.isFull(nowMs)) this.#sources.delete(network);
      this.#sweepLater();
    });
  }
}

function codeOf(error: Error): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

function bind(host: string, port: number): Promise<Socket | Error> {
  const type = isIPv6(host) ? "udp6" : "udp4";
  const family = type === "udp6" ? 6 : 4;
  // Addresses here are numbers already; the default goes through the resolver's queue for every datagram.
  const socket = createSocket({ type, lookup: (address, _options, callback) => callback(null, address, family) });
  return new Promise((resolve) => {
    const onError = (error: Error) => {
      socket.close();
      resolve(error);
    };
    socket.once("error", onError);
    socket.bind({ address: host, port, exclusive: true }, () => {
      socket.off("error", onError);
      // After binding, an error is an ICMP answer to one of our datagrams.
      socket.on("error", () => undefined);
      resolve(socket);
    });
  });
}
