/** Makes few events of many changes: a burst becomes one, and what never ends becomes one a second. */
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";

/** One cause makes a burst of lines; those within this time become one event. */
export const GATHER_MS = 100;

/** A fault and its repair make some five events; two of them in a row are told of without delay. */
export const BURST_EVENTS = 10;

/** In the long run there is one event in this time: whoever hears it looks at everything, which takes some 50 ms of a processor. */
export const STEADY_MS = 1_000;

/** Hands what was gathered to a listener: `GATHER_MS` after the first of it, later where too much was told lately. */
export class EventGate<K> {
  readonly #clock: Clock;
  readonly #listener: (kinds: K[]) => void;
  readonly #gathered = new Set<K>();
  #cancel: CancelTimer | undefined;
  #stopped = false;
  /** Events that may still be told at once; one more each `STEADY_MS`. */
  #allowed = BURST_EVENTS;
  #countedAtMs: number;

  constructor(clock: Clock, listener: (kinds: K[]) => void) {
    this.#clock = clock;
    this.#listener = listener;
    this.#countedAtMs = clock.monotonicMs();
  }

  add(kind: K): void {
    if (this.#stopped) return;
    this.#gathered.add(kind);
    this.#cancel ??= this.#clock.after(this.#waitMs(), () => this.#tell());
  }

  /** Nothing is told any more. Idempotent. */
  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #tell(): void {
    this.#cancel = undefined;
    this.#count();
    this.#allowed -= 1;
    const kinds = [...this.#gathered];
    this.#gathered.clear();
    this.#listener(kinds);
  }

  #waitMs(): number {
    this.#count();
    const missing = Math.max(0, 1 - this.#allowed);
    return Math.max(GATHER_MS, Math.ceil(missing * STEADY_MS));
  }

  #count(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#allowed = Math.min(BURST_EVENTS, this.#allowed + (nowMs - this.#countedAtMs) / STEADY_MS);
    this.#countedAtMs = nowMs;
  }
}
