/** A router without a network: speaks PCP and NAT-PMP with whoever sends through it, and counts what is sent. */
import { Buffer } from "node:buffer";
import type { Clock } from "../../../src-shared/clock.ts";
import { ok, type Result } from "../../../src-shared/result.ts";
import type { DatagramHandlers, DatagramSocket, Datagrams } from "../datagrams.ts";
import type { HttpExchange } from "../http-exchange.ts";
import type { HomeNetwork } from "../mapping.ts";
import { mappingFail } from "../mapping-errors.ts";
import type { MappingIo } from "../mapping-io.ts";

export const NETWORK: HomeNetwork = { gateway: "192.168.1.1", address: "192.168.1.20", lanPrefix: "192.168.1.0/24" };

/** How the router's port 5351 behaves. */
export type Manner = "pcp" | "nat-pmp" | "silent" | "refusing";

export class FakeRouter {
  readonly #clock: Clock;
  readonly #bootAtMs: number;
  #epochStartMs: number;
  manner: Manner = "pcp";
  lifetimeSeconds = 7_200;
  externalAddress = [203, 0, 113, 7];
  /** External ports that somebody else has. */
  readonly taken = new Set<number>();
  /** Granted: internal port → external port. */
  readonly mapped = new Map<number, number>();
  /** PCP and NAT-PMP result code for mapping requests. */
  refuses = 0;
  /** Everything that left this machine. */
  readonly sent: { to: string; port: number; message: Buffer }[] = [];
  readonly #groups = new Map<string, Set<DatagramHandlers>>();
  openSockets = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#bootAtMs = clock.monotonicMs();
    this.#epochStartMs = this.#bootAtMs - 1_000_000;
  }

  get io(): MappingIo {
    let counter = 0;
    return {
      clock: this.#clock,
      // A fixed sequence: jitter stays within its bounds and runs are alike.
      randomBytes: (count) => Uint8Array.from({ length: count }, () => (counter = (counter * 73 + 41) & 0xff)),
      datagrams: this.#datagrams,
      http: this.#http,
    };
  }

  /** A power cut: every mapping is forgotten and the epoch begins anew. */
  restart({ announce = true }: { announce?: boolean } = {}): void {
    this.mapped.clear();
    this.#epochStartMs = this.#clock.monotonicMs();
    if (announce) this.announce(NETWORK.gateway);
  }

  /** A PCP ANNOUNCE to all hosts, as it comes from `address`. */
  announce(address: string, port = 5351): void {
    const message = Buffer.alloc(24);
    message.set([2, 0x80]);
    message.writeUInt32BE(this.#epoch(), 8);
    for (const handlers of this.#groups.get("224.0.0.1") ?? []) handlers.onMessage(message, { address, port });
  }

  /** Requests to the mapping port, by opcode. */
  requests(version: number, opcode: number): Buffer[] {
    return this.sent
      .filter(({ port, message }) => port === 5351 && message[0] === version && message[1] === opcode)
      .map(({ message }) => message);
  }

  #epoch(): number {
    return Math.floor((this.#clock.monotonicMs() - this.#epochStartMs) / 1000);
  }

  readonly #http: HttpExchange = async () => mappingFail("upnp-unreachable");

  readonly #datagrams: Datagrams = {
    connect: async (to, _, handlers, signal) =>
      this.#socket(signal, (message, close) => {
        this.sent.push({ to: to.address, port: to.port, message });
        if (this.manner === "refusing") {
          queueMicrotask(() => handlers.onError("refused"));
          close();
          return;
        }
        const answer = to.port === 5351 && to.address === NETWORK.gateway ? this.#answer(message) : undefined;
        if (answer !== undefined) queueMicrotask(() => handlers.onMessage(answer, to));
      }),
    open: async (_, __, signal) =>
      this.#socket(signal, (message, _close, to) =>
        this.sent.push({ to: to?.address ?? "", port: to?.port ?? 0, message }),
      ),
    join: async ({ group }, handlers, signal) => {
      const members = this.#groups.get(group) ?? new Set();
      this.#groups.set(group, members.add(handlers));
      signal.addEventListener("abort", () => members.delete(handlers));
      return this.#socket(signal, () => {});
    },
  };

  #socket(
    signal: AbortSignal,
    send: (message: Buffer, close: () => void, to: Parameters<DatagramSocket["send"]>[1]) => void,
  ): Result<DatagramSocket> {
    if (signal.aborted) return mappingFail("aborted");
    this.openSockets++;
    let closed = false;
    const close = () => {
      if (closed) return;
      closed = true;
      this.openSockets--;
    };
    signal.addEventListener("abort", close);
    return ok({ send: (message, to) => closed || send(Buffer.from(message), close, to), close });
  }

  #answer(request: Buffer): Buffer | undefined {
    if (this.manner === "silent") return undefined;
    if (request[0] === 0) return this.#natPmp(request);
    return this.manner === "pcp" ? this.#pcp(request) : Buffer.from([0, 0x80 | (request[1] ?? 0), 0, 1, 0, 0, 0, 0]);
  }

  #pcp(request: Buffer): Buffer {
    const answer = Buffer.from(request);
    answer[1] = 0x80 | (request[1] ?? 0);
    answer.fill(0, 2, 24);
    answer.writeUInt32BE(this.#epoch(), 8);
    if (request[1] !== 1) return answer;
    answer[3] = this.refuses;
    if (this.refuses !== 0) return answer;
    const granted = this.#grant(request.readUInt32BE(4), request.readUInt16BE(40), request.readUInt16BE(42));
    answer.writeUInt32BE(granted.lifetimeSeconds, 4);
    answer.writeUInt16BE(granted.externalPort, 42);
    answer.fill(0, 44, 54).fill(0xff, 54, 56).set(this.externalAddress, 56);
    return answer;
  }

  #natPmp(request: Buffer): Buffer {
    const answer = Buffer.alloc(request[1] === 0 ? 12 : 16);
    answer[1] = 0x80 | (request[1] ?? 0);
    answer.writeUInt32BE(this.#epoch(), 4);
    if (request[1] === 0) {
      answer.set(this.externalAddress, 8);
      return answer;
    }
    answer[3] = this.refuses;
    const granted = this.#grant(request.readUInt32BE(8), request.readUInt16BE(4), request.readUInt16BE(6));
    answer.writeUInt16BE(request.readUInt16BE(4), 8);
    answer.writeUInt16BE(granted.externalPort, 10);
    answer.writeUInt32BE(granted.lifetimeSeconds, 12);
    return answer;
  }

  #grant(lifetimeSeconds: number, internalPort: number, wanted: number) {
    if (lifetimeSeconds === 0) {
      this.mapped.delete(internalPort);
      return { lifetimeSeconds: 0, externalPort: 0 };
    }
    const externalPort = this.taken.has(wanted) ? 60_000 : wanted;
    this.mapped.set(internalPort, externalPort);
    return { lifetimeSeconds: Math.min(lifetimeSeconds, this.lifetimeSeconds), externalPort };
  }
}
