/** The throughput of the last five minutes, hour and day, in memory; it outlives switching sharing off and on. */
import type { Clock } from "../../src-shared/clock.ts";
import type { TrafficHistory as History, TrafficPoint, TrafficRange } from "../../src-shared/model/traffic.ts";
import type { MeterReading } from "./peer-meter.ts";
import { TrafficRing } from "./traffic-ring.ts";

/** Seconds per point and seconds in all: 120 to 150 points, about one for every few pixels of a chart. */
const RANGES: Record<TrafficRange, { stepSeconds: number; rangeSeconds: number }> = {
  "5min": { stepSeconds: 2, rangeSeconds: 300 },
  "1h": { stepSeconds: 30, rangeSeconds: 3_600 },
  "24h": { stepSeconds: 600, rangeSeconds: 86_400 },
};

export class TrafficHistory {
  readonly #clock: Pick<Clock, "nowMs">;
  readonly #rings: Record<TrafficRange, TrafficRing> = {
    "5min": new TrafficRing(RANGES["5min"]),
    "1h": new TrafficRing(RANGES["1h"]),
    "24h": new TrafficRing(RANGES["24h"]),
  };

  constructor(clock: Pick<Clock, "nowMs">) {
    this.#clock = clock;
  }

  /** Adds what passed since the reading before. The point of the five minutes' history that it completes, if it does. */
  add(reading: MeterReading): TrafficPoint | undefined {
    const atMs = this.#clock.nowMs();
    this.#rings["1h"].add(atMs, reading);
    this.#rings["24h"].add(atMs, reading);
    return this.#rings["5min"].add(atMs, reading);
  }

  /** The node stopped sharing: what comes later is not averaged with what came before. */
  gap(): void {
    for (const ring of Object.values(this.#rings)) ring.gap();
  }

  of(range: TrafficRange): History {
    return { range, stepSeconds: RANGES[range].stepSeconds, points: this.#rings[range].points(this.#clock.nowMs()) };
  }
}
