import { describe, expect, it } from "vitest";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { every } from "./every.ts";

describe("every", () => {
  it("begins after one interval and goes on", async () => {
    const clock = new FakeClock();
    let done = 0;
    const cancel = every(clock, 100, () => void done++);
    expect(done).toBe(0);
    await clock.advance(350);
    expect(done).toBe(3);
    cancel();
    expect(clock.pending).toBe(0);
  });

  it("waits for a slow one, and begins none after it was cancelled", async () => {
    const clock = new FakeClock();
    let begun = 0;
    const slow = Promise.withResolvers<void>();
    const cancel = every(clock, 100, () => {
      begun++;
      return slow.promise;
    });
    await clock.advance(1_000);
    expect(begun).toBe(1);
    cancel();
    cancel();
    slow.resolve();
    await clock.advance(1_000);
    expect(begun).toBe(1);
    expect(clock.pending).toBe(0);
  });
});
