/** Throughput in steps of one length, for one span of time back from now. */
import type { TrafficPoint } from "../../src-shared/model/traffic.ts";
import type { MeterReading } from "./peer-meter.ts";

/** Readings come a little early or late; a step is complete when this little is missing, or it would be a reading too long. */
const TOLERANCE_SECONDS = 0.5;

/** Sharing that is switched off and on leaves points shorter than a step; so many more of them are kept. */
const SPARE_FACTOR = 2;

interface Step {
  readonly atMs: number;
  readonly reading: MeterReading;
}

export interface RingOptions {
  readonly stepSeconds: number;
  readonly rangeSeconds: number;
}

export class TrafficRing {
  readonly #stepSeconds: number;
  readonly #rangeMs: number;
  readonly #capacity: number;
  #steps: Step[] = [];
  /** The step that is not over yet. */
  #open: Step | undefined;

  constructor({ stepSeconds, rangeSeconds }: RingOptions) {
    this.#stepSeconds = stepSeconds;
    this.#rangeMs = rangeSeconds * 1000;
    this.#capacity = Math.ceil(rangeSeconds / stepSeconds) * SPARE_FACTOR;
  }

  /** @param atMs wall-clock time of the reading. The point, where the reading completes one. */
  add(atMs: number, reading: MeterReading): TrafficPoint | undefined {
    const open = this.#open?.reading;
    const step: Step = {
      atMs,
      reading: {
        seconds: reading.seconds + (open?.seconds ?? 0),
        rxBytes: reading.rxBytes + (open?.rxBytes ?? 0),
        txBytes: reading.txBytes + (open?.txBytes ?? 0),
      },
    };
    this.#open = step;
    if (step.reading.seconds < this.#stepSeconds - TOLERANCE_SECONDS) return undefined;
    this.gap();
    return pointOf(step);
  }

  /** Ends the step that is under way. */
  gap(): void {
    if (this.#open === undefined) return;
    this.#steps.push(this.#open);
    this.#open = undefined;
    if (this.#steps.length > this.#capacity) this.#steps.shift();
  }

  /** Oldest first, the last one from what there is of a step so far. Points that a clock set back has put into the future are left out. */
  points(nowMs: number): TrafficPoint[] {
    const steps = this.#open === undefined ? this.#steps : [...this.#steps, this.#open];
    return steps.filter(({ atMs }) => atMs > nowMs - this.#rangeMs && atMs <= nowMs).map(pointOf);
  }
}

function pointOf({ atMs, reading: { seconds, rxBytes, txBytes } }: Step): TrafficPoint {
  return {
    at: new Date(atMs).toISOString(),
    rxBytesPerSecond: Math.round(rxBytes / seconds),
    txBytesPerSecond: Math.round(txBytes / seconds),
  };
}
