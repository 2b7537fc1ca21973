/** A probe that costs somebody something: asked again only when what it found has aged, or may have changed. */
import type { Clock } from "../../src-shared/clock.ts";
import type { HealthVerdict } from "../../src-shared/model/health-verdict.ts";

export interface RememberedProbeOptions {
  clock: Clock;
  /** How long a good answer holds; any other is asked for again with every check. */
  goodForMs: number;
  probe: () => Promise<HealthVerdict>;
}

export class RememberedProbe {
  readonly #options: RememberedProbeOptions;
  #good: { verdict: HealthVerdict; untilMs: number } | undefined;
  #underWay: Promise<HealthVerdict> | undefined;
  /** Grows when what was found may no longer hold. */
  #round = 0;

  constructor(options: RememberedProbeOptions) {
    this.#options = options;
  }

  /** Asks, or gives what is still fresh. Callers at the same time share one probe. Rejects as the probe does. */
  ask(): Promise<HealthVerdict> {
    const { clock } = this.#options;
    if (this.#good !== undefined && clock.monotonicMs() < this.#good.untilMs)
      return Promise.resolve(this.#good.verdict);
    this.#underWay ??= this.#probe().finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  /** Something has changed: the next who asks is told what is true then. */
  forget(): void {
    this.#round++;
    this.#good = undefined;
  }

  async #probe(): Promise<HealthVerdict> {
    const { clock, goodForMs, probe } = this.#options;
    const round = this.#round;
    const verdict = await probe();
    if (verdict.state === "good" && round === this.#round) {
      this.#good = { verdict, untilMs: clock.monotonicMs() + goodForMs };
    }
    return verdict;
  }
}
