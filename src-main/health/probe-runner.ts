/** Runs the probes and keeps what came of them. One that throws makes its subject unknown, and nothing else. */
import type { Clock } from "../../src-shared/clock.ts";
import type { HealthVerdict } from "../../src-shared/model/health-verdict.ts";
import type { Logger } from "../logs/logger.ts";
import { PROBE_NAMES, type Probe, type ProbeName } from "./health-context.ts";
import { RememberedProbe } from "./remembered-probe.ts";

/** How long a good answer holds while nothing has changed. Connections leave the house; the other two cost nothing. */
const GOOD_FOR_MS: Readonly<Record<ProbeName, number>> = {
  dns: 60_000,
  egressIpv4: 5 * 60_000,
  egressIpv6: 5 * 60_000,
  disk: 60_000,
};

const UNKNOWN: HealthVerdict = { state: "unknown" };

export interface ProbeRunnerOptions {
  clock: Clock;
  logger: Logger;
  probes: Readonly<Record<ProbeName, Probe>>;
  /** Called as soon as one of them has told something new. */
  onChange: () => void;
}

export class ProbeRunner {
  readonly #options: ProbeRunnerOptions;
  readonly #probes: Readonly<Record<ProbeName, RememberedProbe>>;
  #found: Readonly<Record<ProbeName, HealthVerdict>> = forAll(() => UNKNOWN);
  /** Grows when what is under way is of no interest any more. */
  #round = 0;

  constructor(options: ProbeRunnerOptions) {
    this.#options = options;
    const { clock, probes } = options;
    this.#probes = forAll((name) => new RememberedProbe({ clock, goodForMs: GOOD_FOR_MS[name], probe: probes[name] }));
  }

  get found(): Readonly<Record<ProbeName, HealthVerdict>> {
    return this.#found;
  }

  /** Resolves when each has answered, at the latest after the longest probe's own limit. Never rejects. */
  async run(): Promise<void> {
    await Promise.all(PROBE_NAMES.map((name) => this.#run(name)));
  }

  /** Something has changed: good answers no longer hold, and are asked for anew by the next run. */
  forget(): void {
    for (const name of PROBE_NAMES) this.#probes[name].forget();
  }

  /** As if nothing had ever been asked. */
  reset(): void {
    this.#round++;
    this.forget();
    this.#found = forAll(() => UNKNOWN);
  }

  async #run(name: ProbeName): Promise<void> {
    const round = this.#round;
    const verdict = await this.#ask(name);
    if (round !== this.#round) return;
    this.#found = { ...this.#found, [name]: verdict };
    this.#options.onChange();
  }

  async #ask(name: ProbeName): Promise<HealthVerdict> {
    try {
      return await this.#probes[name].ask();
    } catch (thrown) {
      this.#options.logger.warn("a health probe failed", { probe: name, error: thrown });
      return UNKNOWN;
    }
  }
}

function forAll<T>(make: (name: ProbeName) => T): Record<ProbeName, T> {
  return { dns: make("dns"), egressIpv4: make("egressIpv4"), egressIpv6: make("egressIpv6"), disk: make("disk") };
}
