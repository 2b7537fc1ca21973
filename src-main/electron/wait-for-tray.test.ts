import { describe, expect, it } from "vitest";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { waitForTray } from "./wait-for-tray.ts";

describe("waiting for a tray", () => {
  it.each(["darwin", "win32"])("is over at once on %s, which always has one", async (platform) => {
    expect(await waitForTray({ platform, env: {}, clock: new FakeClock(), isHidden: true })).toBe(true);
  });

  it("does not hold up a start by hand on a desktop that has none", async () => {
    const clock = new FakeClock();
    expect(await waitForTray({ platform: "linux", env: {}, clock, isHidden: false })).toBe(false);
    expect(clock.monotonicMs()).toBe(0);
  });

  it("gives a desktop that is just coming up a quarter of a minute", async () => {
    const clock = new FakeClock();
    let found: boolean | undefined;
    void waitForTray({ platform: "linux", env: {}, clock, isHidden: true }).then((tray) => {
      found = tray;
    });
    await clock.advance(14_000);
    expect(found).toBeUndefined();
    await clock.advance(2_000);
    expect(found).toBe(false);
    expect(clock.pending).toBe(0);
  });
});
