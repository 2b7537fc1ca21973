/** Finds an answer among the host's resolvers: the one that answered last first, then the others. */
import type { Clock } from "../../src-shared/clock.ts";
import { type Asking, askOverTcp, askOverUdp } from "./ask-resolver.ts";
import { type DnsQuery, isTruncated, RCODE, rcodeOf } from "./message.ts";
import type { Resolver } from "./resolvers.ts";

/** With two seconds each, done shortly after the guest asks again by itself; a single resolver is asked twice, for a lost packet. */
const MAX_ATTEMPTS = 3;
const MIN_ATTEMPTS = 2;

/** The resolver that the owner prefers gets another chance after this. */
const PREFERENCE_MS = 60_000;

export class Forwarder {
  readonly #clock: Clock;
  readonly #askings = new Set<Asking>();
  #preferred: { resolver: Resolver; untilMs: number } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * The best answer there is: a real one, else the last refusal of a resolver, else undefined. For `tcp` it is
   * complete where the resolver gives it complete; for `udp` it may be truncated, as the guest will ask again.
   */
  async resolve(
    query: DnsQuery,
    transport: "udp" | "tcp",
    resolvers: readonly Resolver[],
    stopped: () => boolean,
  ): Promise<Buffer | undefined> {
    let refusal: Buffer | undefined;
    for (const resolver of this.#attempts(resolvers)) {
      const answer = await this.#ask(askOverUdp(resolver, query, this.#clock));
      if (stopped()) return undefined;
      if (answer === undefined) continue;
      if (isRefusal(answer)) {
        refusal = answer;
        continue;
      }
      this.#prefer(resolver, resolvers);
      if (transport === "udp" || !isTruncated(answer)) return answer;
      const whole = await this.#ask(askOverTcp(resolver, query, this.#clock));
      if (stopped()) return undefined;
      if (whole !== undefined) return whole;
    }
    return refusal;
  }

  /** Ends every question that is under way: each gets undefined. */
  cancel(): void {
    for (const asking of [...this.#askings]) asking.cancel();
  }

  #attempts(resolvers: readonly Resolver[]): Resolver[] {
    const preferred = this.#preferred;
    const first =
      preferred === undefined || this.#clock.monotonicMs() >= preferred.untilMs
        ? undefined
        : resolvers.find((resolver) => same(resolver, preferred.resolver));
    const ordered =
      first === undefined ? [...resolvers] : [first, ...resolvers.filter((resolver) => resolver !== first)];
    return ordered.length < MIN_ATTEMPTS ? [...ordered, ...ordered] : ordered.slice(0, MAX_ATTEMPTS);
  }

  #prefer(resolver: Resolver, resolvers: readonly Resolver[]): void {
    if (resolvers[0] !== undefined && same(resolver, resolvers[0])) this.#preferred = undefined;
    // Not renewed by each answer: the owner's first choice would never be tried again.
    else if (this.#preferred === undefined || !same(this.#preferred.resolver, resolver) || this.#expired()) {
      this.#preferred = { resolver, untilMs: this.#clock.monotonicMs() + PREFERENCE_MS };
    }
  }

  #expired(): boolean {
    return this.#preferred !== undefined && this.#clock.monotonicMs() >= this.#preferred.untilMs;
  }

  async #ask(asking: Asking): Promise<Buffer | undefined> {
    this.#askings.add(asking);
    try {
      return await asking.answer;
    } finally {
      this.#askings.delete(asking);
    }
  }
}

function same(a: Resolver, b: Resolver): boolean {
  return a.address === b.address && a.port === b.port;
}

function isRefusal(answer: Buffer): boolean {
  const rcode = rcodeOf(answer);
  return rcode === RCODE.serverFailure || rcode === RCODE.refused || rcode === RCODE.notImplemented;
}
