/** The throughput chart's data and words, as pure functions of the points. */
import type { TrafficHistory, TrafficPoint, TrafficRange } from "../../../src-shared/model/traffic.ts";

export const RANGE_SECONDS: Readonly<Record<TrafficRange, number>> = { "5min": 300, "1h": 3_600, "24h": 86_400 };

/** A point that is this many steps late leaves a gap: the node did not share, or was not there. */
const GAP_STEPS = 2.5;

/** x in seconds since the epoch, bits per second to and from clients; null where the line is to be broken. */
export type ChartData = readonly [
  x: readonly number[],
  down: readonly (number | null)[],
  up: readonly (number | null)[],
];

/** The history followed by what came in since, each point once, none older than the range. */
export function mergedPoints(
  history: TrafficHistory | undefined,
  live: readonly TrafficPoint[],
  range: TrafficRange,
  nowMs: number,
): TrafficPoint[] {
  const from = nowMs - RANGE_SECONDS[range] * 1000;
  const known = history?.range === range ? history.points : [];
  const lastMs = known.length === 0 ? 0 : Date.parse(known.at(-1)?.at ?? "");
  const newer = range === "5min" ? live.filter(({ at }) => Date.parse(at) > lastMs) : [];
  return [...known, ...newer].filter(({ at }) => Date.parse(at) >= from);
}

export function chartData(points: readonly TrafficPoint[], stepSeconds: number): ChartData {
  const x: number[] = [];
  const down: (number | null)[] = [];
  const up: (number | null)[] = [];
  for (const point of points) {
    const at = Date.parse(point.at) / 1000;
    const before = x.at(-1);
    if (before !== undefined && at - before > stepSeconds * GAP_STEPS) {
      x.push(before + stepSeconds);
      down.push(null);
      up.push(null);
    }
    x.push(at);
    down.push(point.txBytesPerSecond * 8);
    up.push(point.rxBytesPerSecond * 8);
  }
  return [x, down, up];
}

export interface TrafficSummary {
  /** Bytes per second. */
  readonly down: number;
  readonly up: number;
  readonly maxDown: number;
  readonly maxUp: number;
}

/** A live point older than this says nothing of now. */
const NOW_WITHIN_MS = 6_000;

/** What the chart shows, in four numbers. `latest` is the newest live point; before the first the history tells. */
export function summaryOf(
  points: readonly TrafficPoint[],
  latest: TrafficPoint | undefined,
  nowMs: number,
): TrafficSummary {
  const current = [latest, points.at(-1)].find(
    (point) => point !== undefined && nowMs - Date.parse(point.at) <= NOW_WITHIN_MS,
  );
  return {
    down: current?.txBytesPerSecond ?? 0,
    up: current?.rxBytesPerSecond ?? 0,
    maxDown: points.reduce((most, { txBytesPerSecond }) => Math.max(most, txBytesPerSecond), 0),
    maxUp: points.reduce((most, { rxBytesPerSecond }) => Math.max(most, rxBytesPerSecond), 0),
  };
}
