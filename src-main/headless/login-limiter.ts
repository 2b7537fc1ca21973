/** How often somebody may try a password: per source, so that nobody guesses, and in all, so that many sources cannot either. */
import type { Clock } from "../../src-shared/clock.ts";
import { parseAddress } from "../../src-shared/net/address.ts";
import { TokenBucket } from "../../src-shared/relay/token-bucket.ts";

/** Typing errors of somebody who knows the password. */
export const TRIES_PER_SOURCE = 5;
/** 1,440 guesses a day, against ten characters. */
const SOURCE_REFILL_SECONDS = 60;

/** A family that comes home at once, each of whom errs; from here on even an army of sources guesses slowly. */
export const TRIES_IN_ALL = 60;
const TOTAL_REFILL_SECONDS = 5;

/** Each is two numbers; what is forgotten first is what was tried longest ago. */
const MAX_SOURCES = 1_024;

/** Where the owner's devices are. */
const MAX_KNOWN_SOURCES = 64;

/** A site has an IPv6 /64 for itself: its addresses are one source. */
const HOST_BITS = 64n;

export class LoginLimiter {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #total: TokenBucket;
  readonly #sources = new Map<string, TokenBucket>();
  /** From where the password has come before; kept apart, so that no number of strangers makes these forgotten. */
  readonly #known = new Map<string, TokenBucket>();

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
    this.#total = new TokenBucket(1 / TOTAL_REFILL_SECONDS, TRIES_IN_ALL, clock.monotonicMs());
  }

  /** Takes one try. Seconds to wait where there is none left; 0 where it may be made. */
  take(address: string): number {
    const nowMs = this.#clock.monotonicMs();
    const source = sourceOf(address);
    // Somebody with many addresses who never stops guessing would use up all that there is, and keep the owner out.
    const known = this.#known.get(source);
    if (known !== undefined) return known.take(1, nowMs) ? 0 : SOURCE_REFILL_SECONDS;
    const bucket = this.#sources.get(source) ?? this.#newBucket();
    keep(this.#sources, source, bucket, MAX_SOURCES);
    // One that knocks in vain takes nothing away from the others.
    if (!bucket.take(1, nowMs)) return SOURCE_REFILL_SECONDS;
    return this.#total.take(1, nowMs) ? 0 : TOTAL_REFILL_SECONDS;
  }

  /** The password was right: earlier errors are forgotten, and this source is not counted with all others any more. */
  forgive(address: string): void {
    const source = sourceOf(address);
    this.#sources.delete(source);
    keep(this.#known, source, this.#newBucket(), MAX_KNOWN_SOURCES);
  }

  #newBucket(): TokenBucket {
    return new TokenBucket(1 / SOURCE_REFILL_SECONDS, TRIES_PER_SOURCE, this.#clock.monotonicMs());
  }
}

/** Puts a value at the end of a map of `most` entries, whose first one makes room. */
function keep<V>(map: Map<string, V>, key: string, value: V, most: number): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > most && oldest !== undefined) map.delete(oldest);
}

/** Whom an address counts for: an IPv4 address, the /64 of an IPv6 one, or the text itself where it is neither. */
export function sourceOf(text: string): string {
  const address = parseAddress(text.replace(/^::ffff:(?=[0-9.]+$)/i, "").replace(/%.*$/, ""));
  if (address === undefined || address.family === 4) return text;
  return `${address.value >> HOST_BITS}/64`;
}
