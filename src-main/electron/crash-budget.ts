/** How often something that crashes is started again by itself. */
import type { Clock } from "../../src-shared/clock.ts";

export class CrashBudget {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #withinMs: number;
  #crashesMs: number[] = [];

  /** @param most crashes that are forgiven within `withinMs` */
  constructor(clock: Clock, most: number, withinMs: number) {
    this.#clock = clock;
    this.#most = most;
    this.#withinMs = withinMs;
  }

  /** Counts a crash. False once there were more than are forgiven. */
  spend(): boolean {
    const nowMs = this.#clock.monotonicMs();
    this.#crashesMs = [...this.#crashesMs.filter((atMs) => nowMs - atMs < this.#withinMs), nowMs];
    return this.#crashesMs.length <= this.#most;
  }
}
