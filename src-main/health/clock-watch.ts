/**
 * Notices that the machine has slept, and that its clock was set: two clocks that should go alike do not. The wall clock can
 * be set; the system's uptime goes on during sleep and cannot be set; the monotonic clock stands still during sleep.
 */
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";
import type { HiggsError } from "../../src-shared/result.ts";
import { every } from "../node/every.ts";

/** Whatever was asleep finds its tunnel verified within this; costs a handful of microseconds. */
const CLOCK_LOOK_EVERY_MS = 2_000;

/** A lid that was closed for a moment changes nothing; timers are late by less on a busy machine. */
const LEAST_SLEEP_MS = 10_000;

/** Time servers correct by fractions of a second at a time; more is a jump. */
const LEAST_JUMP_MS = 10_000;

/** How long after a jump the owner sees it: long enough to be found when something else has failed of it. */
const JUMP_SHOWN_FOR_MS = 5 * 60_000;

/** No machine that runs this has lived earlier; a clock that says so has lost its battery. */
const EARLIEST_PLAUSIBLE_MS = Date.UTC(2025, 0, 1);

export interface ClockFinding {
  readonly trouble: HiggsError | undefined;
}

export interface ClockEvent {
  readonly kind: "woke" | "clock-jumped";
  /** How long it slept, or how far the clock was set, forward or back. */
  readonly durationMs: number;
}

export interface ClockWatchOptions {
  clock: Clock;
  /** Milliseconds since the machine started, sleep included. */
  uptimeMs: () => number;
  onEvent: (event: ClockEvent) => void;
}

interface Reading {
  readonly wallMs: number;
  readonly monotonicMs: number;
  readonly uptimeMs: number;
}

export class ClockWatch {
  readonly #options: ClockWatchOptions;
  #cancel: CancelTimer | undefined;
  #last: Reading | undefined;
  #jump: { atMs: number; byMs: number } | undefined;

  constructor(options: ClockWatchOptions) {
    this.#options = options;
  }

  /** Begins to watch, unless it does already. */
  start(): void {
    if (this.#cancel !== undefined) return;
    this.#last = this.#read();
    this.#cancel = every(this.#options.clock, CLOCK_LOOK_EVERY_MS, () => this.look());
  }

  /** Idempotent. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#last = undefined;
    this.#jump = undefined;
  }

  /** Compares now. */
  look(): void {
    const last = this.#last;
    if (last === undefined) return;
    const now = this.#read();
    this.#last = now;
    const wentMs = now.monotonicMs - last.monotonicMs;
    const upMs = now.uptimeMs - last.uptimeMs;
    const sleptMs = upMs - wentMs;
    const jumpedMs = now.wallMs - last.wallMs - Math.max(upMs, wentMs);
    if (Math.abs(jumpedMs) >= LEAST_JUMP_MS) {
      this.#jump = { atMs: now.monotonicMs, byMs: jumpedMs };
      this.#options.onEvent({ kind: "clock-jumped", durationMs: Math.abs(jumpedMs) });
    }
    if (sleptMs >= LEAST_SLEEP_MS) this.#options.onEvent({ kind: "woke", durationMs: sleptMs });
  }

  get finding(): ClockFinding {
    const { clock } = this.#options;
    if (clock.nowMs() < EARLIEST_PLAUSIBLE_MS) return { trouble: CLOCK_LOST };
    const jump = this.#jump;
    if (jump === undefined || clock.monotonicMs() - jump.atMs >= JUMP_SHOWN_FOR_MS) return { trouble: undefined };
    const seconds = Math.round(Math.abs(jump.byMs) / 1_000);
    return {
      trouble: {
        code: "clock-jumped",
        message: `The computer's clock was set ${jump.byMs > 0 ? "forward" : "back"} by ${seconds} seconds.`,
        hint: "Let the system keep its time by itself (NTP); everything was checked again.",
      },
    };
  }

  #read(): Reading {
    const { clock, uptimeMs } = this.#options;
    return { wallMs: clock.nowMs(), monotonicMs: clock.monotonicMs(), uptimeMs: uptimeMs() };
  }
}

const CLOCK_LOST: HiggsError = {
  code: "clock-wrong",
  message: "The computer's clock is wrong by years, so that secure connections fail.",
  hint: "Set the date, and let the system keep its time by itself (NTP).",
};
