import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backoffMs } from "./backoff.ts";

describe("the wait before an attempt", () => {
  it("is spread over a window that doubles up to four seconds, stays there for a minute, and doubles up to half a minute", () => {
    const windows = [0, 1, 2, 3, 4, 5, 30, 31, 32, 33, 1000].map((attempt) => backoffMs(attempt, () => 1));
    expect(windows).toEqual([250, 500, 1_000, 2_000, 4_000, 4_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });

  it("can be anything in the window, but never nothing", () => {
    fc.assert(
      fc.property(fc.nat(100), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, share) => {
        const ms = backoffMs(attempt, () => share);
        expect(ms).toBeGreaterThanOrEqual(20);
        expect(ms).toBeLessThanOrEqual(30_000);
      }),
    );
    expect(backoffMs(32, () => 0)).toBe(20);
    expect(backoffMs(32, () => 0.5)).toBe(8_000);
  });
});
