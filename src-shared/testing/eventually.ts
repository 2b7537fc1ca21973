/** Waiting in tests for what real sockets and programs do. */
import { delay, systemClock } from "../clock.ts";

/** Longest wait of any test for anything: far longer than it takes, for a machine that is busy with other tests. */
const DEADLINE_MS = 15_000;

/** Short beside what is waited for, long enough to leave the processor to it. */
const LOOK_EVERY_MS = 5;

/** Polls until `probe` gives something that is not `undefined`, `null` or `false`. Throws with `what` at the deadline. */
export async function eventually<T>(what: string, probe: () => T | undefined | false | null): Promise<T> {
  const untilMs = systemClock.monotonicMs() + DEADLINE_MS;
  for (;;) {
    const value = probe();
    if (value !== undefined && value !== false && value !== null) return value;
    if (systemClock.monotonicMs() > untilMs) throw new Error(`did not happen in time: ${what}`);
    await delay(systemClock, LOOK_EVERY_MS);
  }
}
