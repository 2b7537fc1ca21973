import { describe, expect, it } from "vitest";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { BURST_EVENTS, EventGate, GATHER_MS, STEADY_MS } from "./event-gate.ts";

function gate() {
  const clock = new FakeClock();
  const events: { atMs: number; kinds: string[] }[] = [];
  const made = new EventGate<string>(clock, (kinds) => events.push({ atMs: clock.monotonicMs(), kinds }));
  return { clock, events, gate: made };
}

describe("an event gate", () => {
  it("makes one event of a burst, with every kind once", async () => {
    const { clock, events, gate: made } = gate();
    for (const kind of ["link", "route", "link", "address", "route"]) made.add(kind);
    await clock.advance(10_000);
    expect(events).toEqual([{ atMs: GATHER_MS, kinds: ["link", "route", "address"] }]);
  });

  it("tells of each of two faults a few seconds apart without delay", async () => {
    const { clock, events, gate: made } = gate();
    for (const atMs of [0, 400, 800, 1_200, 1_600, 3_000, 3_400, 3_800, 4_200, 4_600]) {
      await clock.advance(atMs - clock.monotonicMs());
      made.add("link");
      await clock.advance(GATHER_MS);
      expect(events.at(-1)?.atMs).toBe(atMs + GATHER_MS);
    }
  });

  it("tells of what never ends once a second, and loses no last change", async () => {
    const { clock, events, gate: made } = gate();
    const SECONDS = 60;
    for (let ms = 0; ms < SECONDS * 1_000; ms++) {
      made.add("route");
      await clock.advance(1);
    }
    expect(events.length).toBeLessThanOrEqual(BURST_EVENTS + (SECONDS * 1_000) / STEADY_MS);
    const told = events.length;
    made.add("firewall");
    await clock.advance(STEADY_MS);
    expect(events.slice(told).flatMap(({ kinds }) => kinds)).toContain("firewall");
  });

  it("is as quick as before when it was quiet for a while", async () => {
    const { clock, events, gate: made } = gate();
    for (let ms = 0; ms < 20_000; ms++) {
      made.add("route");
      await clock.advance(1);
    }
    await clock.advance(BURST_EVENTS * STEADY_MS);
    const startedMs = clock.monotonicMs();
    made.add("link");
    await clock.advance(GATHER_MS);
    expect(events.at(-1)).toEqual({ atMs: startedMs + GATHER_MS, kinds: ["link"] });
  });

  it("tells nothing once it is stopped, and leaves no timer", async () => {
    const { clock, events, gate: made } = gate();
    made.add("link");
    made.stop();
    made.stop();
    made.add("route");
    await clock.advance(10_000);
    expect(events).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});
