/** Something that is done again and again until it is cancelled. */
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";

/**
 * Calls `action` after each `intervalMs`, counted from the end of the one before, so that a slow one never
 * overlaps itself. `action` must not fail. Once cancelled, nothing begins any more; what is under way ends by itself.
 */
export function every(clock: Clock, intervalMs: number, action: () => Promise<void> | void): CancelTimer {
  let cancelled = false;
  let cancelTimer: CancelTimer = () => {};
  const next = () => {
    cancelTimer = clock.after(intervalMs, () => void once());
  };
  const once = async () => {
    await action();
    if (!cancelled) next();
  };
  next();
  return () => {
    cancelled = true;
    cancelTimer();
  };
}
