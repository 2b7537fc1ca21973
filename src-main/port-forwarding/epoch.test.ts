import { describe, expect, it } from "vitest";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { EpochTracker } from "./epoch.ts";

describe("EpochTracker", () => {
  it.each([
    ["goes on beside ours", 100, 600_000, 700, true],
    ["is one second behind, as overtaking answers are", 100, 0, 99, true],
    ["is two seconds behind", 100, 0, 98, false],
    ["begins anew", 5_000, 60_000, 3, false],
    ["stands still", 100, 60_000, 100, false],
    ["drifts by less than a sixteenth", 100, 1_600_000, 1_620, true],
    ["runs ahead, as after our own sleep", 100, 10_000, 10_000, false],
  ])("an epoch that %s", async (_, first, waitMs, second, continues) => {
    const clock = new FakeClock();
    const epoch = new EpochTracker(clock);
    expect(epoch.accept(first)).toBe(true);
    await clock.advance(waitMs);
    expect(epoch.accept(second)).toBe(continues);
    expect(epoch.accept(second)).toBe(true);
  });
});
