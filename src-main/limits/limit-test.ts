/** `limit test`: what really passes a client's classes, against what was asked for. */
import { type Clock, delay } from "../../src-shared/clock.ts";
import { formatRate, type TestedDirection } from "../../src-shared/model/limit.ts";
import type { ClassCounters, ObservedLimit } from "../../src-shared/network-observation.ts";
import { fail, ok, type Result } from "../../src-shared/result.ts";
import { onTheWire } from "./limits-contribution.ts";

/** More than a tenth beside what was asked for is told. */
const TOLERANCE = 0.1;

export interface LimitTestOptions {
  clock: Clock;
  seconds: number;
  /** Bits per second as people measure them. */
  limits: { down: number | undefined; up: number | undefined };
  read: () => Promise<Result<ObservedLimit>>;
}

/** Reads the counters twice. Error: `limit-not-in-place`, and those of `read`. */
export async function testLimit(
  options: LimitTestOptions,
): Promise<Result<{ down: TestedDirection | null; up: TestedDirection | null }>> {
  const { clock, seconds, limits, read } = options;
  const before = await read();
  if (!before.ok) return before;
  const startedMs = clock.monotonicMs();
  await delay(clock, seconds * 1000);
  const after = await read();
  if (!after.ok) return after;
  const elapsedMs = clock.monotonicMs() - startedMs;
  const tested: Record<"down" | "up", TestedDirection | null> = { down: null, up: null };
  for (const direction of ["down", "up"] as const) {
    const limit = limits[direction];
    if (limit === undefined) continue;
    const first = before.value[direction];
    const last = after.value[direction];
    if (first === null || last === null || last.bytes < first.bytes) {
      return fail("limit-not-in-place", "The limit is not in the kernel at this moment.", "Try again in a moment.");
    }
    tested[direction] = verdictOf(limit, first, last, elapsedMs);
  }
  return ok(tested);
}

function verdictOf(limit: number, first: ClassCounters, last: ClassCounters, elapsedMs: number): TestedDirection {
  // Headers were allowed for when the limit was set; they are taken off again, so that the same thing is compared.
  const headers = onTheWire(limit) / limit;
  const measured = ((last.bytes - first.bytes) * 8 * 1000) / elapsedMs / headers;
  const isHeldBack = last.backlogBytes > 0 || last.dropped > first.dropped;
  const tooFast = measured > limit * (1 + TOLERANCE);
  const tooSlow = measured < limit * (1 - TOLERANCE);
  const verdict = tooFast || (tooSlow && isHeldBack) ? "off" : tooSlow ? "idle" : "holds";
  return {
    limit: formatRate(limit),
    measured: formatRate(Math.round(measured / 1000) * 1000),
    measuredBitsPerSecond: Math.round(measured),
    verdict,
  };
}
