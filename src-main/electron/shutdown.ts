/** What has been opened, and its end: the newest first, so that nobody can call into a node that is going. */
import type { Clock } from "../../src-shared/clock.ts";

export type Outcome = "drained" | "failed" | "late";

export class Shutdown {
  readonly #clock: Clock;
  readonly #closers: (() => Promise<void> | void)[] = [];
  #draining: Promise<Outcome> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get begun(): boolean {
    return this.#draining !== undefined;
  }

  /** Closes what was opened. Once the end has begun, what comes late is closed at once. */
  add(close: () => Promise<void> | void): void {
    if (this.begun)
      void Promise.resolve()
        .then(close)
        .catch(() => {});
    else this.#closers.unshift(close);
  }

  /** One closer that fails does not keep the others open. Calls at the same time share one end. */
  drain(deadlineMs: number, onUnexpected: (thrown: unknown) => void): Promise<Outcome> {
    this.#draining ??= this.#drain(deadlineMs, onUnexpected);
    return this.#draining;
  }

  async #drain(deadlineMs: number, onUnexpected: (thrown: unknown) => void): Promise<Outcome> {
    const late = Promise.withResolvers<Outcome>();
    const cancelTimer = this.#clock.after(deadlineMs, () => late.resolve("late"));
    try {
      return await Promise.race([this.#closeAll(onUnexpected), late.promise]);
    } finally {
      cancelTimer();
    }
  }

  async #closeAll(onUnexpected: (thrown: unknown) => void): Promise<Outcome> {
    let outcome: Outcome = "drained";
    for (const close of this.#closers) {
      try {
        await close();
      } catch (thrown) {
        onUnexpected(thrown);
        outcome = "failed";
      }
    }
    return outcome;
  }
}
