/** Waits between attempts to connect: exponential with full jitter, so that a thousand nodes do not come at once. */

/** A relay that restarts is back in a second; the first attempts find it. */
const FIRST_WINDOW_MS = 250;
/** One that takes longer to restart is back within the minute: until then guests do not wait longer than this after its return. */
const PATIENT_WINDOW_MS = 4_000;
const PATIENT_ATTEMPTS = 30;
/** An owner who looks at a broken connection sees an attempt within this. */
const LAST_WINDOW_MS = 30_000;
/** Less would only spin. */
const LEAST_MS = 20;

/** Milliseconds to wait before attempt number `attempt`, 0 for the first; `random` gives 0 to 1. */
export function backoffMs(attempt: number, random: () => number): number {
  const late = Math.min(Math.max(0, attempt - PATIENT_ATTEMPTS), 16);
  const early = Math.min(PATIENT_WINDOW_MS, FIRST_WINDOW_MS * 2 ** Math.min(attempt, 16));
  const windowMs = Math.min(LAST_WINDOW_MS, early * 2 ** late);
  return Math.max(LEAST_MS, Math.round(random() * windowMs));
}
