import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TokenBucket } from "./token-bucket.ts";

describe("a token bucket", () => {
  it("allows its burst at once and its rate from then on", () => {
    const bucket = new TokenBucket(10, 5, 0);
    for (let index = 0; index < 5; index++) expect(bucket.take(1, 0)).toBe(true);
    expect(bucket.take(1, 0)).toBe(false);
    expect(bucket.take(1, 100)).toBe(true);
    expect(bucket.take(1, 100)).toBe(false);
  });

  it("takes nothing when it refuses", () => {
    const bucket = new TokenBucket(10, 5, 0);
    expect(bucket.take(6, 0)).toBe(false);
    expect(bucket.take(5, 0)).toBe(true);
  });

  it("never gives more than burst plus rate times time, also when time stands still or goes back", () => {
    const step = fc.record({ waitMs: fc.integer({ min: -50, max: 500 }), amount: fc.integer({ min: 1, max: 20 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const bucket = new TokenBucket(100, 30, 0);
        let nowMs = 0;
        let latestMs = 0;
        let taken = 0;
        for (const { waitMs, amount } of steps) {
          nowMs += waitMs;
          latestMs = Math.max(latestMs, nowMs);
          if (bucket.take(amount, nowMs)) taken += amount;
          expect(taken).toBeLessThanOrEqual(30 + latestMs / 10 + 1e-6);
        }
      }),
    );
  });
});
