import { describe, expect, it } from "vitest";
import { trafficHistorySchema } from "../../src-shared/model/traffic.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { TrafficHistory } from "./traffic-history.ts";

const STEP = { seconds: 2, rxBytes: 2_000, txBytes: 4_000 };

async function run(clock: FakeClock, history: TrafficHistory, seconds: number): Promise<void> {
  for (let passed = 0; passed < seconds; passed += STEP.seconds) {
    await clock.advance(STEP.seconds * 1000);
    history.add(STEP);
  }
}

describe("TrafficHistory", () => {
  it("gives a point for each reading, and means for the longer ranges", async () => {
    const clock = new FakeClock();
    const history = new TrafficHistory(clock);
    await run(clock, history, 1_260);
    const short = history.of("5min");
    expect(short.stepSeconds).toBe(2);
    expect(short.points).toHaveLength(150);
    expect(history.of("1h").points).toHaveLength(42);
    // Two whole steps of ten minutes, and what there is of the third.
    expect(history.of("24h").points).toHaveLength(3);
    for (const range of ["5min", "1h", "24h"] as const) {
      const { points } = trafficHistorySchema.parse(history.of(range));
      expect(new Set(points.map((point) => point.rxBytesPerSecond))).toEqual(new Set([1_000]));
      expect(new Set(points.map((point) => point.txBytesPerSecond))).toEqual(new Set([2_000]));
      expect(points.map(({ at }) => at)).toEqual(points.map(({ at }) => at).toSorted());
    }
  });

  it("adds a reading that came too soon to the next point", async () => {
    const clock = new FakeClock();
    const history = new TrafficHistory(clock);
    expect(history.add({ seconds: 1, rxBytes: 100, txBytes: 0 })).toBeUndefined();
    expect(history.add({ seconds: 1, rxBytes: 300, txBytes: 0 })).toMatchObject({ rxBytesPerSecond: 200 });
    expect(history.of("5min").points).toHaveLength(1);
  });

  it("has no points where the node did not share, and keeps those from before", async () => {
    const clock = new FakeClock();
    const history = new TrafficHistory(clock);
    await run(clock, history, 60);
    history.gap();
    await clock.advance(120_000);
    await run(clock, history, 60);
    const times = history.of("5min").points.map(({ at }) => Date.parse(at));
    expect(times).toHaveLength(60);
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(Math.max(...gaps)).toBe(122_000);
  });

  it("forgets what is older than its range, and holds no more than twice the points of it", async () => {
    const clock = new FakeClock();
    const history = new TrafficHistory(clock);
    await run(clock, history, 60);
    await clock.advance(300_000);
    expect(history.of("5min").points).toEqual([]);
    expect(history.of("1h").points.length).toBeGreaterThan(0);
    for (let turn = 0; turn < 1_000; turn++) {
      history.add({ seconds: 0.1, rxBytes: 1, txBytes: 1 });
      history.gap();
    }
    expect(history.of("5min").points).toHaveLength(300);
  });

  it("shows nothing from the future after the clock was set back", async () => {
    const clock = new FakeClock();
    const history = new TrafficHistory(clock);
    await run(clock, history, 10);
    clock.jumpWallClock(-3_600_000);
    expect(history.of("24h").points).toEqual([]);
    await run(clock, history, 2);
    expect(history.of("5min").points).toHaveLength(1);
  });
});
