/**
 * Proof from outside that a node's WireGuard port can be reached: a real handshake initiation from a port the node
 * has never sent to, so that no router lets it in as the answer to something.
 *
 * It goes to the address the node's own connection comes from and nowhere else, and is no larger than what asked for it:
 * nobody can aim it, and nobody gains by it.
 */
import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";
import type { CancelTimer, Clock } from "../src-shared/clock.ts";
import { parseAddress } from "../src-shared/net/address.ts";
import { isPublicAddress } from "../src-shared/net/public-address.ts";
import type { ProbeOutcome } from "../src-shared/relay/control.ts";
import { TokenBucket } from "../src-shared/relay/token-bucket.ts";
import type { Config } from "./config.ts";
import { createInitiation, createProbeKey, type Initiation } from "./probe-handshake.ts";
import { networkOf } from "./source-limiter.ts";

/** Three tries, since single datagrams are lost. A node refuses initiations that follow each other within 20 ms. */
const SEND_AT_MS = [0, 600, 1_500] as const;
/** The last try gets as long as the slowest of links needs. */
const PROBE_TIMEOUT_MS = 3_000;
/** A node asks once in ten minutes, and a few times in a row while its router is changing. */
const PROBES_PER_SECOND = 0.2;
const PROBE_BURST = 6;
/** Sockets open at once for probes, of all nodes together. */
const MAX_CONCURRENT = 128;
/** Connections open at once for probes alone: as many as there can be probes, since each may have one under way. */
const MAX_VISITORS = MAX_CONCURRENT;
/** Networks whose rate is on record; the fullest bucket says nothing and may be forgotten. */
const MAX_TRACKED = 16_384;

export interface ProbeTarget {
  /** The address the node's connection comes from, as text. */
  readonly address: string;
  readonly port: number;
  /** The node's WireGuard public key in base64. */
  readonly publicKey: string;
}

export interface ProberOptions {
  readonly config: Pick<Config, "udp" | "probe">;
  readonly clock: Clock;
}

export class Prober {
  readonly #options: ProberOptions;
  readonly #key = createProbeKey();
  readonly #rates = new Map<string, TokenBucket>();
  readonly #running = new Set<() => void>();
  #visitors = 0;
  #lastStampMs = 0;
  #disposed = false;

  constructor(options: ProberOptions) {
    this.#options = options;
  }

  /**
   * What nodes add as a peer without allowed IPs, in base64. Made anew with every start, so that no node holds a
   * timestamp of a clock that has since been put back.
   */
  get publicKey(): string {
    return this.#key.publicKey.toString("base64");
  }

  /** A place for a connection that came for a probe alone: what gives it back, once; undefined where there is none. */
  visit(): (() => void) | undefined {
    if (!this.#options.config.probe.enabled || this.#visitors >= MAX_VISITORS) return undefined;
    this.#visitors++;
    let left = false;
    return () => {
      if (!left) this.#visitors--;
      left = true;
    };
  }

  /** Never rejects. Answers at the latest after PROBE_TIMEOUT_MS. */
  probe({ address, port, publicKey }: ProbeTarget): Promise<ProbeOutcome> {
    const refusal = this.#refusal(address);
    if (refusal !== undefined) return Promise.resolve({ outcome: "refused", code: refusal });
    return this.#run(plainAddress(address), port, Buffer.from(publicKey, "base64"));
  }

  /** Ends what is under way as silence. Idempotent. */
  dispose(): void {
    this.#disposed = true;
    for (const end of [...this.#running]) end();
  }

  #refusal(address: string): "probe-off" | "probe-not-public" | "probe-busy" | undefined {
    const { config, clock } = this.#options;
    if (!config.probe.enabled || this.#disposed) return "probe-off";
    const parsed = parseAddress(plainAddress(address));
    if (parsed === undefined || (!config.probe.privateAddresses && !isPublicAddress(parsed))) return "probe-not-public";
    if (this.#running.size >= MAX_CONCURRENT) return "probe-busy";
    const rate = this.#rateOf(networkOf(address), clock.monotonicMs());
    return rate?.take(1, clock.monotonicMs()) === true ? undefined : "probe-busy";
  }

  #rateOf(network: string, nowMs: number): TokenBucket | undefined {
    const known = this.#rates.get(network);
    if (known !== undefined) return known;
    if (this.#rates.size >= MAX_TRACKED) {
      for (const [each, bucket] of this.#rates) if (bucket.isFull(nowMs)) this.#rates.delete(each);
      if (this.#rates.size >= MAX_TRACKED) return undefined;
    }
    const made = new TokenBucket(PROBES_PER_SECOND, PROBE_BURST, nowMs);
    this.#rates.set(network, made);
    return made;
  }

  #run(address: string, port: number, nodeKey: Buffer): Promise<ProbeOutcome> {
    const { config, clock } = this.#options;
    const family = isIPv6(address) ? 6 : 4;
    const type = family === 6 ? "udp6" : "udp4";
    const socket = createSocket({ type, lookup: (host, _options, callback) => callback(null, host, family) });
    const sent: { initiation: Initiation; atMs: number }[] = [];
    const timers: CancelTimer[] = [];
    return new Promise((resolve) => {
      let over = false;
      const end = (outcome: ProbeOutcome) => {
        if (over) return;
        over = true;
        this.#running.delete(giveUp);
        for (const cancel of timers) cancel();
        socket.close();
        resolve(outcome);
      };
      const giveUp = () => end({ outcome: "silence" });
      this.#running.add(giveUp);
      const send = () => {
        let initiation: Initiation;
        try {
          const senderIndex = randomInt(2 ** 32);
          initiation = createInitiation({ probeKey: this.#key, nodeKey, senderIndex, timestampMs: this.#stampMs() });
        } catch {
          return end({ outcome: "refused", code: "probe-bad-key" });
        }
        sent.push({ initiation, atMs: clock.monotonicMs() });
        // A route that is missing, or a port that is closed, is silence like any other.
        socket.send(initiation.message, () => undefined);
      };
      socket.on("error", () => undefined);
      socket.on("message", (datagram) => {
        const nowMs = clock.monotonicMs();
        const answered = sent.find(({ initiation }) => initiation.read(datagram) !== undefined);
        if (answered !== undefined) end({ outcome: "answered", ms: roundedMs(nowMs - answered.atMs) });
      });
      timers.push(clock.after(PROBE_TIMEOUT_MS, giveUp));
      const from = isIPv6(config.udp.host) === (family === 6) ? config.udp.host : undefined;
      socket.bind(from === undefined ? {} : { address: from }, () => {
        // The kernel then hears nobody but the node, and a router in between that answers for it is no proof.
        socket.connect(port, address, (error?: Error) => {
          if (over) return;
          if (error !== undefined && error !== null) return giveUp();
          for (const atMs of SEND_AT_MS) timers.push(clock.after(atMs, send));
        });
      });
    });
  }

  /** Later than every one before, also when the clock is put back. */
  #stampMs(): number {
    this.#lastStampMs = Math.max(this.#lastStampMs + 1, this.#options.clock.nowMs());
    return this.#lastStampMs;
  }
}

/** IPv4 without the IPv6 clothes that a socket for both families puts on it. */
export function plainAddress(address: string): string {
  const plain = address.split("%")[0] ?? "";
  return plain.startsWith("::ffff:") && plain.includes(".") ? plain.slice(7) : plain;
}

function roundedMs(ms: number): number {
  return Math.round(ms * 10) / 10;
}
