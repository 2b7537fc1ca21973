/** The owner's wish to stop, as those see it who wait for something else meanwhile. */
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";
import { fail, ok, type Result } from "../../src-shared/result.ts";

/** This very value, so that it can be told from an error of the same name that came from elsewhere. */
export const INTERRUPTED = fail("interrupted", "Sharing was switched off meanwhile.");

export class StopSignal {
  /** Wishes whose turn has not come. */
  #waiting = 0;
  #interrupt: (() => void) | undefined;

  get wanted(): boolean {
    return this.#waiting > 0;
  }

  /** Ends the wait that is under way, and every later one until `taken`. */
  want(): void {
    this.#waiting++;
    this.#interrupt?.();
  }

  /** Whoever stops begins with it now. */
  taken(): void {
    this.#waiting--;
  }

  /** What `promise` gives, or INTERRUPTED as soon as stopping is wanted. One wait at a time. */
  async unlessWanted<T>(promise: Promise<Result<T>>): Promise<Result<T>> {
    const interrupted = new Promise<Result<T>>((resolve) => {
      this.#interrupt = () => resolve(INTERRUPTED);
      if (this.wanted) this.#interrupt();
    });
    try {
      return await Promise.race([interrupted, promise]);
    } finally {
      this.#interrupt = undefined;
    }
  }

  /** Waits `ms`, or until stopping is wanted; leaves no timer. */
  async pause(clock: Clock, ms: number): Promise<Result<void>> {
    let cancel: CancelTimer = () => {};
    const passed = new Promise<Result<void>>((resolve) => {
      cancel = clock.after(ms, () => resolve(ok(undefined)));
    });
    const result = await this.unlessWanted(passed);
    cancel();
    return result;
  }
}
