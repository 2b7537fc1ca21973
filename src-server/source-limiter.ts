/**
 * Rates and sessions of one source network, whatever nodes it talks to: an IPv4 address, or an IPv6 /64,
 * which is what one customer has.
 */
import { TokenBucket } from "../src-shared/relay/token-bucket.ts";
import type { Limits } from "./config.ts";

/** Seconds of its rate a source may send at once: a burst of a fast link, not a flood. */
const BURST_SECONDS = 0.25;

interface Source {
  readonly packets: TokenBucket;
  readonly bytes: TokenBucket;
  sessions: number;
}

export class SourceLimiter {
  #limits: Limits;
  #sources = new Map<string, Source>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  get tracked(): number {
    return this.#sources.size;
  }

  /** Whether the source may send `bytes` now. A source that cannot be put on record may not. */
  admit(network: string, bytes: number, nowMs: number): boolean {
    const source = this.#source(network, nowMs);
    if (source === undefined) return false;
    return source.bytes.has(bytes, nowMs) && source.packets.take(1, nowMs) && source.bytes.take(bytes, nowMs);
  }

  /** Counts a session; false when the source has as many as it may. */
  openSession(network: string, nowMs: number): boolean {
    const source = this.#source(network, nowMs);
    if (source === undefined || source.sessions >= this.#limits.sessionsPerSource) return false;
    source.sessions++;
    return true;
  }

  closeSession(network: string): void {
    const source = this.#sources.get(network);
    if (source !== undefined && source.sessions > 0) source.sessions--;
  }

  /** Forgets sources that have no session and owe nothing. */
  sweep(nowMs: number): void {
    for (const [network, { packets, bytes, sessions }] of this.#sources) {
      if (sessions === 0 && packets.isFull(nowMs) && bytes.isFull(nowMs)) this.#sources.delete(network);
    }
  }

  #source(network: string, nowMs: number): Source | undefined {
    const known = this.#sources.get(network);
    if (known !== undefined) return known;
    if (this.#sources.size >= this.#limits.trackedSources) return undefined;
    const { sourcePacketsPerSecond, sourceBytesPerSecond } = this.#limits;
    const source = {
      packets: new TokenBucket(sourcePacketsPerSecond, Math.max(32, sourcePacketsPerSecond * BURST_SECONDS), nowMs),
      bytes: new TokenBucket(sourceBytesPerSecond, Math.max(65_536, sourceBytesPerSecond * BURST_SECONDS), nowMs),
      sessions: 0,
    };
    this.#sources.set(network, source);
    return source;
  }
}

/** The network a source is counted under: the address for IPv4 (mapped or not), the first 64 bits for IPv6. */
export function networkOf(address: string): string {
  if (address.startsWith("::ffff:") && address.includes(".")) return address.slice(7);
  if (!address.includes(":")) return address;
  const [head = "", tail] = (address.split("%")[0] ?? "").split("::");
  const groups = head === "" ? [] : head.split(":");
  if (tail !== undefined) {
    const tailGroups = tail === "" ? [] : tail.split(":");
    while (groups.length + tailGroups.length < 8) groups.push("0");
    groups.push(...tailGroups);
  }
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":")}::`;
}
