/**
 * Repairs what is not the tunnel's: the router's mapping, the relay, the name service. The exit's own recovery goes first;
 * only then one service at a time, and only a fact that is shown: never a symptom, never one that works.
 */
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";
import type { HealthFact, Recovery } from "../../src-shared/model/health.ts";
import { errorOf, type HiggsError } from "../../src-shared/result.ts";
import type { Logger } from "../logs/logger.ts";
import { RecoveryLadder, type RecoveryLine, type RecoveryStep } from "../node/recovery-ladder.ts";
import { isShown } from "./judge.ts";

/** A connection to a relay or an answer of a router takes less; what takes longer has failed for now. */
const OUTCOME_WITHIN_MS = 5_000;

/** Others have to come back first: haste would only bother them. */
const QUICK_WAITS_MS = [0, 2_000, 5_000] as const;

export interface Repair {
  readonly step: RecoveryStep;
  readonly act: () => Promise<unknown> | unknown;
}

export interface ServiceRecoveryOptions {
  clock: Clock;
  logger: Logger;
  /** What can be done about a bad fact; undefined where nothing can. */
  repairOf: (fact: HealthFact) => Repair | undefined;
  report: (line: RecoveryLine) => void;
  /** Called when a step is done, so that what it was about is looked at again. */
  onActed: () => void;
  onChange: () => void;
}

export class ServiceRecovery {
  readonly #options: ServiceRecoveryOptions;
  readonly #ladder: RecoveryLadder;
  #fact: HealthFact | undefined;
  #cancelOutcome: CancelTimer = () => {};

  constructor(options: ServiceRecoveryOptions) {
    this.#options = options;
    const { clock, report, onChange } = options;
    this.#ladder = new RecoveryLadder({
      clock,
      quickWaitsMs: QUICK_WAITS_MS,
      report,
      onChange,
      onDue: () => this.#attempt(),
    });
  }

  get state(): Recovery {
    return this.#ladder.state;
  }

  /** To be called with every judgement. @param exitIsBusy the tunnel's own recovery is under way */
  update(facts: readonly HealthFact[], exitIsBusy: boolean): void {
    const current = facts.find(({ code }) => code === this.#fact?.code);
    if (this.#fact !== undefined) {
      if (current?.state === "good") this.#end(() => this.#ladder.succeeded());
      // A symptom of something else by now, or nobody's wish any more.
      else if (exitIsBusy || current === undefined || current.state === "off" || current.silencedBy !== undefined) {
        this.reset();
      } else if (current.state === "bad") this.#fact = current;
    }
    if (this.#fact !== undefined || exitIsBusy) return;
    const next = facts.find((fact) => isShown(fact) && this.#options.repairOf(fact) !== undefined);
    if (next === undefined) return;
    this.#fact = next;
    this.#ladder.begin(next.code);
    this.#attempt();
  }

  /** The machine's surroundings have changed: what failed may work now. */
  hasten(): void {
    if (this.#ladder.hasten()) this.#attempt();
  }

  /** Idempotent. */
  reset(): void {
    this.#end(() => this.#ladder.reset());
  }

  #end(how: () => void): void {
    this.#cancelOutcome();
    this.#fact = undefined;
    how();
  }

  #attempt(): void {
    const fact = this.#fact;
    const repair = fact === undefined ? undefined : this.#options.repairOf(fact);
    if (fact === undefined || repair === undefined) {
      this.reset();
      return;
    }
    this.#ladder.start(repair.step);
    this.#cancelOutcome = this.#options.clock.after(OUTCOME_WITHIN_MS, () => this.#failed());
    void this.#act(repair);
  }

  async #act(repair: Repair): Promise<void> {
    const { logger, onActed } = this.#options;
    try {
      await repair.act();
    } catch (thrown) {
      logger.warn("a repair failed", { step: repair.step, code: errorOf(thrown).code, error: thrown });
    }
    onActed();
  }

  #failed(): void {
    const error: HiggsError = this.#fact?.error ?? { code: "no-outcome", message: "It still does not work." };
    this.#ladder.failed(error);
  }
}
