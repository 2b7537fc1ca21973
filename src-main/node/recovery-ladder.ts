/**
 * When a recovery tries again, and with what. One recovery at a time, at most one attempt per step of the backoff:
 *
 *   idle ──begin──▶ waiting 0 s ─▶ attempt 1 ─▶ 0.5 s ─▶ 2 ─▶ 2 s ─▶ 3 ─▶ 10 s ─▶ 4 ─▶ 20 s … 5 min ─▶ …
 *     ▲                               │                            │
 *     └────────── succeeded ──────────┴── any                      └─ exhausted: the reason is shown, and it goes on slowly
 *
 * A change of what is aimed at begins the steps anew; `reset` ends it without a word.
 */
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";
import type { HealthEvent, HealthFactCode, Recovery } from "../../src-shared/model/health.ts";
import type { HiggsError } from "../../src-shared/result.ts";

/** Most faults are a program that has just replaced something, and are healed by the first or second attempt. */
const QUICK_WAITS_MS = [0, 500, 2_000] as const;

/** So many failures are no accident: the owner is told the reason. */
export const ATTEMPTS_UNTIL_TOLD = QUICK_WAITS_MS.length;

/** What failed three times in a row is not healed by haste. */
const FIRST_SLOW_WAIT_MS = 10_000;

/** Whoever puts something right finds it working before he begins to doubt. */
export const LONGEST_WAIT_MS = 5 * 60_000;

/** However often the machine changes, attempts are this far apart: an apply changes links and addresses itself. */
export const LEAST_BETWEEN_MS = 500;

/** How long to wait before the attempt that follows `failures` failed ones. */
export function waitAfterMs(failures: number, quickWaitsMs: readonly number[] = QUICK_WAITS_MS): number {
  const slow = failures - quickWaitsMs.length;
  // Any larger exponent has long passed the cap.
  return quickWaitsMs[failures] ?? Math.min(LONGEST_WAIT_MS, FIRST_SLOW_WAIT_MS * 2 ** Math.min(slow, 16));
}

export type RecoveryStep = "apply" | "restart-helper" | "remap" | "reconnect" | "rebind" | "replan";

/** A line for the history. */
export type RecoveryLine = Pick<HealthEvent, "fact" | "error" | "step" | "attempt" | "durationMs"> & {
  kind: "recovery-step" | "recovered" | "recovery-failed";
};

export interface LadderOptions {
  clock: Clock;
  /** Waits before the first attempts, `ATTEMPTS_UNTIL_TOLD` of them. */
  quickWaitsMs?: readonly number[];
  /** The wait is over: `start` what comes next, or `reset`. */
  onDue: () => void;
  onChange: () => void;
  report: (line: RecoveryLine) => void;
}

export class RecoveryLadder {
  readonly #options: LadderOptions;
  #state: Recovery = { state: "idle" };
  #cause: HealthFactCode = "helper";
  #step: RecoveryStep | null = null;
  #failures = 0;
  /** Failures of another kind that came before, so that the quick attempts are left out. */
  #before = 0;
  #since = "";
  #beganMs = 0;
  #dueMs = 0;
  #startedMs = 0;
  #endedMs = Number.NEGATIVE_INFINITY;
  #cancel: CancelTimer = () => {};

  constructor(options: LadderOptions) {
    this.#options = options;
  }

  get state(): Recovery {
    return this.#state;
  }

  /** When this recovery began. */
  get since(): string {
    return this.#since;
  }

  /** The attempt that is under way, or comes next; from 1. */
  get attempt(): number {
    return this.#failures + 1;
  }

  /** Whether the next attempt's time has come. */
  get isDue(): boolean {
    return this.#state.state === "waiting" && this.#options.clock.monotonicMs() >= this.#dueMs;
  }

  /** Whether it has failed so often that the owner should know. */
  get exhausted(): boolean {
    return this.#failures + this.#before >= ATTEMPTS_UNTIL_TOLD;
  }

  /**
   * A recovery, unless one is under way. `slowly` leaves out the quick attempts: for what was tried and failed already.
   * The caller starts the first attempt, or has it come due.
   */
  begin(cause: HealthFactCode, { slowly = false } = {}): void {
    if (this.#state.state !== "idle") return;
    const { clock } = this.#options;
    this.#cause = cause;
    this.#step = null;
    this.#failures = 0;
    this.#before = slowly ? ATTEMPTS_UNTIL_TOLD : 0;
    this.#since = new Date(clock.nowMs()).toISOString();
    this.#beganMs = clock.monotonicMs();
    if (slowly) this.#wait();
  }

  start(step: RecoveryStep): void {
    this.#cancel();
    this.#step = step;
    this.#startedMs = this.#options.clock.monotonicMs();
    this.#enter({ state: "running", cause: this.#cause, step, attempt: this.attempt, since: this.#since });
  }

  /** It works: by the attempt that is under way, or some time after one. */
  succeeded(): void {
    if (this.#state.state === "idle") return;
    const step = this.#step;
    const attempt = this.#state.state === "running" ? this.attempt : Math.max(1, this.#failures);
    const { clock, report } = this.#options;
    if (this.#state.state === "running") this.#reportStep(null);
    const durationMs = clock.monotonicMs() - this.#beganMs;
    this.reset();
    report({ kind: "recovered", fact: this.#cause, step, attempt, error: null, durationMs });
  }

  /** @param forGood nobody is to be asked again: only the owner can begin anew */
  failed(error: HiggsError, { forGood = false } = {}): void {
    if (this.#state.state !== "running") return;
    const { attempt, step } = this.#state;
    const { clock, report } = this.#options;
    this.#reportStep(error);
    this.#failures++;
    this.#endedMs = clock.monotonicMs();
    if (forGood) this.reset();
    else this.#wait();
    if (!forGood && attempt !== ATTEMPTS_UNTIL_TOLD) return;
    const durationMs = clock.monotonicMs() - this.#beganMs;
    report({ kind: "recovery-failed", fact: this.#cause, step, attempt, error, durationMs });
  }

  /** What is aimed at has changed: the quick attempts again. True where the next may be started at once. */
  hasten(): boolean {
    if (this.#state.state !== "waiting") return false;
    this.#failures = 0;
    this.#before = 0;
    const restMs = this.#endedMs + LEAST_BETWEEN_MS - this.#options.clock.monotonicMs();
    if (restMs <= 0) return true;
    this.#wait(restMs);
    return false;
  }

  /** Ends it, whatever it is at. Idempotent. */
  reset(): void {
    this.#cancel();
    this.#enter({ state: "idle" });
  }

  #wait(givenMs?: number): void {
    const { clock, onDue, quickWaitsMs } = this.#options;
    const waitMs = givenMs ?? waitAfterMs(this.#failures + this.#before, quickWaitsMs);
    this.#cancel();
    this.#dueMs = clock.monotonicMs() + waitMs;
    this.#cancel = clock.after(waitMs, onDue);
    const nextAt = new Date(clock.nowMs() + waitMs).toISOString();
    this.#enter({ state: "waiting", cause: this.#cause, attempt: this.attempt, since: this.#since, nextAt });
  }

  #reportStep(error: HiggsError | null): void {
    const { clock, report } = this.#options;
    const durationMs = clock.monotonicMs() - this.#startedMs;
    report({ kind: "recovery-step", fact: this.#cause, step: this.#step, attempt: this.attempt, error, durationMs });
  }

  #enter(state: Recovery): void {
    if (state.state === "idle" && this.#state.state === "idle") return;
    this.#state = state;
    this.#options.onChange();
  }
}
