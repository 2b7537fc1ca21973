import { describe, expect, it } from "vitest";
import type { TrafficHistory, TrafficPoint } from "../../../src-shared/model/traffic.ts";
import { chartData, mergedPoints, summaryOf } from "./traffic-view.ts";

const NOW_MS = Date.UTC(2026, 0, 1, 12);

function point(secondsAgo: number, tx = 100, rx = 10): TrafficPoint {
  return { at: new Date(NOW_MS - secondsAgo * 1000).toISOString(), rxBytesPerSecond: rx, txBytesPerSecond: tx };
}

const history: TrafficHistory = { range: "5min", stepSeconds: 2, points: [point(400), point(8), point(6)] };

describe("the chart's points", () => {
  it("are the history and what came in since, each once, none too old", () => {
    const merged = mergedPoints(history, [point(8), point(6), point(4), point(2)], "5min", NOW_MS);
    expect(merged.map(({ at }) => (NOW_MS - Date.parse(at)) / 1000)).toEqual([8, 6, 4, 2]);
  });

  it("of a longer range are the history's alone: they are means over longer steps", () => {
    expect(mergedPoints({ ...history, range: "1h" }, [point(2)], "1h", NOW_MS)).toHaveLength(3);
  });

  it("are none of another range while its answer is awaited", () => {
    expect(mergedPoints(history, [], "24h", NOW_MS)).toEqual([]);
  });
});

describe("the chart's lines", () => {
  it("are bits per second, down and up", () => {
    expect(chartData([point(4), point(2)], 2)).toEqual([
      [NOW_MS / 1000 - 4, NOW_MS / 1000 - 2],
      [800, 800],
      [80, 80],
    ]);
  });

  it("are broken where the node did not share", () => {
    const [x, down, up] = chartData([point(20), point(4)], 2);
    expect(x).toEqual([-20, -18, -4].map((ago) => NOW_MS / 1000 + ago));
    expect(down).toEqual([800, null, 800]);
    expect(up).toEqual([80, null, 80]);
  });

  it("are not broken by a point that comes a little late", () => {
    expect(chartData([point(9), point(4)], 2)[0]).toHaveLength(2);
  });
});

describe("the chart in words", () => {
  it("has the rates of now and the highest ones", () => {
    const points = [point(8, 900, 1), point(2)];
    expect(summaryOf(points, point(2), NOW_MS)).toEqual({ down: 100, up: 10, maxDown: 900, maxUp: 10 });
  });

  it("says zero where the last point is old", () => {
    expect(summaryOf([], point(60), NOW_MS)).toMatchObject({ down: 0, up: 0, maxDown: 0 });
    expect(summaryOf([], undefined, NOW_MS).down).toBe(0);
  });
});
