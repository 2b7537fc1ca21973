/** Longest wait of any test for anything. */
const DEADLINE_MS = 8_000;

/** Polls until `probe` gives something. Throws with `what` at the deadline. */
export async function eventually<T>(what: string, probe: () => T | undefined | false | null): Promise<T> {
  const untilMs = performance.now() + DEADLINE_MS;
  for (;;) {
    const value = probe();
    if (value !== undefined && value !== false && value !== null) return value;
    if (performance.now() > untilMs) throw new Error(`did not happen in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
