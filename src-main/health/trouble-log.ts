/** Which troubles have been told of: each begins with one line and ends with one, however often it is looked at between. */
import type { HealthFact, HealthFactCode, Recovery } from "../../src-shared/model/health.ts";
import type { NewHealthEvent } from "./health-history.ts";
import { isShown } from "./judge.ts";

export interface TroubleLogOptions {
  record: (event: NewHealthEvent) => void;
  onUnhealthy: (fact: HealthFact) => void;
  onHealthy: (fact: HealthFact) => void;
}

export class TroubleLog {
  readonly #options: TroubleLogOptions;
  /** Since when, by the clock that measures. */
  readonly #told = new Map<HealthFactCode, number>();

  constructor(options: TroubleLogOptions) {
    this.#options = options;
  }

  /**
   * What turned bad and is shown, or is being repaired, is told; what is good again ends it.
   * @param sinceMs when a fact came into its state
   */
  follow(
    facts: readonly HealthFact[],
    recovery: Recovery,
    nowMs: number,
    sinceMs: (code: HealthFactCode) => number,
  ): void {
    for (const fact of facts) {
      const toldMs = this.#told.get(fact.code);
      const isRepaired = recovery.state !== "idle" && recovery.cause === fact.code && fact.state === "bad";
      if (toldMs === undefined && (isShown(fact) || isRepaired)) {
        this.#told.set(fact.code, sinceMs(fact.code));
        this.#record(fact, "unhealthy", null);
        this.#options.onUnhealthy(fact);
      } else if (toldMs !== undefined && (fact.state === "good" || fact.state === "off")) {
        this.#told.delete(fact.code);
        this.#record(fact, "healthy", nowMs - toldMs);
        this.#options.onHealthy(fact);
      }
    }
  }

  /** Sharing has ended, and every trouble with it. */
  forget(): void {
    this.#told.clear();
  }

  #record({ code, error }: HealthFact, kind: "unhealthy" | "healthy", durationMs: number | null): void {
    this.#options.record({ kind, fact: code, error: error ?? null, step: null, attempt: null, durationMs });
  }
}
