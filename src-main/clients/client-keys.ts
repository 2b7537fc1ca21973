/** Private keys of clients, which the node knows for a short time after it made them, and then forgets. */
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";

/** Long enough to scan a code or copy a file, also for somebody who fetches the phone first. */
export const KEY_SHOWN_FOR_MS = 10 * 60_000;

interface ShownKey {
  readonly privateKey: string;
  readonly untilMonotonicMs: number;
  readonly shownUntilMs: number;
  readonly cancel: CancelTimer;
}

export class ShownKeys {
  readonly #clock: Clock;
  readonly #keys = new Map<string, ShownKey>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  remember(id: string, privateKey: string): void {
    this.forget(id);
    this.#keys.set(id, {
      privateKey,
      untilMonotonicMs: this.#clock.monotonicMs() + KEY_SHOWN_FOR_MS,
      shownUntilMs: this.#clock.nowMs() + KEY_SHOWN_FOR_MS,
      cancel: this.#clock.after(KEY_SHOWN_FOR_MS, () => this.#keys.delete(id)),
    });
  }

  /** `shownUntilMs` is wall-clock time, for people. */
  get(id: string): { privateKey: string; shownUntilMs: number } | undefined {
    const key = this.#keys.get(id);
    // A timer can be late, after a suspended machine wakes up; the time has passed all the same.
    if (key === undefined || this.#clock.monotonicMs() >= key.untilMonotonicMs) return undefined;
    return { privateKey: key.privateKey, shownUntilMs: key.shownUntilMs };
  }

  forget(id: string): void {
    this.#keys.get(id)?.cancel();
    this.#keys.delete(id);
  }

  forgetAll(): void {
    for (const id of [...this.#keys.keys()]) this.forget(id);
  }
}
