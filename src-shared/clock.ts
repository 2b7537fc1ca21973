/** Time as a value that is handed in, so that tests decide how it passes. */

/** Stops a timer; calling it again, or after the timer has fired, does nothing. */
export type CancelTimer = () => void;

export interface Clock {
  /** Wall clock, milliseconds since the epoch; it can jump. */
  nowMs(): number;
  /** Milliseconds since an arbitrary start; never goes back. Measure durations with this. */
  monotonicMs(): number;
  /** Calls `action` once, `delayMs` from now. */
  after(delayMs: number, action: () => void): CancelTimer;
}

// In every JavaScript host we run in, but in no ECMAScript library that TypeScript ships.
declare function setTimeout(action: () => void, delayMs: number): unknown;
declare function clearTimeout(timer: unknown): void;
declare const performance: { now(): number };

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Resolves after `delayMs`. */
export function delay(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayMs, resolve);
  });
}
