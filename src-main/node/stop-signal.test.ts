import { describe, expect, it } from "vitest";
import { ok } from "../../src-shared/result.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { INTERRUPTED, StopSignal } from "./stop-signal.ts";

describe("the wish to stop", () => {
  it("ends a wait at once and leaves no timer", async () => {
    const clock = new FakeClock();
    const signal = new StopSignal();
    const pause = signal.pause(clock, 5_000);
    signal.want();
    expect(await pause).toBe(INTERRUPTED);
    expect(clock.pending).toBe(0);
  });

  it("ends every wait until it is taken, however often it was said", async () => {
    const clock = new FakeClock();
    const signal = new StopSignal();
    signal.want();
    signal.want();
    signal.taken();
    expect(await signal.pause(clock, 5_000)).toBe(INTERRUPTED);
    signal.taken();
    expect(signal.wanted).toBe(false);
    const pause = signal.pause(clock, 5_000);
    await clock.advance(5_000);
    expect(await pause).toEqual(ok(undefined));
  });

  it("hands through what came in time, also when that is an exception", async () => {
    const signal = new StopSignal();
    expect(await signal.unlessWanted(Promise.resolve(ok(7)))).toEqual(ok(7));
    await expect(signal.unlessWanted(Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  });
});
