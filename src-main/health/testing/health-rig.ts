/** A manager over a node that a test changes as it likes. */
import { type HealthFact, type HealthFactCode, healthSchema, type Recovery } from "../../../src-shared/model/health.ts";
import type { HealthVerdict } from "../../../src-shared/model/health-verdict.ts";
import type { PhaseState } from "../../../src-shared/model/node-state.ts";
import { FakeClock } from "../../../src-shared/testing/fake-clock.ts";
import { FAKE_EXIT, FAKE_NOW } from "../../ipc/testing/fake-node.ts";
import { recordingLog } from "../../logs/testing/recording-log.ts";
import { HOME } from "../../routing/testing/observation.ts";
import { HEALTH_FACTS, type RegisteredFact } from "../facts.ts";
import { HealthCheckManager } from "../health-check-manager.ts";
import type { HealthContext, ProbeName } from "../health-context.ts";
import type { NewHealthEvent } from "../health-history.ts";
import type { Repair } from "../service-recovery.ts";
import type { Doing } from "../uptime.ts";

export const RUNNING: PhaseState = { phase: "running", since: FAKE_NOW, exit: FAKE_EXIT };
export const STOPPED: PhaseState = { phase: "stopped", since: FAKE_NOW };

export class HealthRig {
  readonly clock = new FakeClock();
  readonly #log = recordingLog(this.clock);
  readonly logged = this.#log.records;
  readonly recorded: NewHealthEvent[] = [];
  readonly doings: Doing[] = [];
  readonly emitted: [name: string, subject: unknown][] = [];
  /** How often each was really asked. */
  readonly asked: Record<ProbeName, number> = { dns: 0, egressIpv4: 0, egressIpv6: 0, disk: 0 };
  readonly answers: Record<ProbeName, HealthVerdict | Error> = {
    dns: { state: "good" },
    egressIpv4: { state: "good" },
    egressIpv6: { state: "off" },
    disk: { state: "good" },
  };
  /** Steps that were done, in order. */
  readonly acted: string[] = [];
  repair: (fact: HealthFact) => Repair | undefined = () => undefined;
  context: Omit<HealthContext, "clock" | "probes"> = {
    phase: RUNNING,
    look: { observation: HOME, problems: [] },
    helperConnected: true,
    addressConflict: undefined,
    portMapping: { state: "off" },
    reachability: { state: "unknown", reason: { code: "no-relay", message: "No relay." } },
    relay: { state: "off" },
  };
  exitRecovery: Recovery = { state: "idle" };
  subject: unknown = "home";
  sleptMs = 0;
  settled = 0;
  keepAwake = false;
  readonly manager: HealthCheckManager;

  constructor(facts: readonly RegisteredFact[] = HEALTH_FACTS) {
    const probe = (name: ProbeName) => async () => {
      this.asked[name]++;
      const answer = this.answers[name];
      if (answer instanceof Error) throw answer;
      return answer;
    };
    this.manager = new HealthCheckManager({
      clock: this.clock,
      random: () => 0.5,
      logger: this.#log.logger,
      facts,
      context: () => this.context,
      probes: {
        dns: probe("dns"),
        egressIpv4: probe("egressIpv4"),
        egressIpv6: probe("egressIpv6"),
        disk: probe("disk"),
      },
      subject: () => this.subject,
      settle: async () => void this.settled++,
      exitRecovery: () => this.exitRecovery,
      repairOf: (fact) => this.repair(fact),
      keepAwake: () => this.keepAwake,
      uptimeMs: () => this.clock.monotonicMs() + this.sleptMs,
      record: (event) => void this.recorded.push(event),
      noteUptime: (doing) => void this.doings.push(doing),
    });
    for (const name of ["healthy", "unhealthy"] as const) {
      this.manager.on(name, ({ code }) => void this.emitted.push([name, code]));
    }
    for (const name of ["recovered", "recoveryFailed"] as const) {
      this.manager.on(name, ({ fact }) => void this.emitted.push([name, fact]));
    }
    this.manager.on("changed", (health) => void healthSchema.parse(health));
  }

  /** Problems that the next look finds, by code. */
  seeProblems(...codes: string[]): void {
    const problems = codes.map((code) => ({ code, message: `${code}, as told.` }));
    this.context = { ...this.context, look: { observation: HOME, problems } };
    this.manager.update();
  }

  become(phase: PhaseState): void {
    this.context = { ...this.context, phase };
    this.manager.update();
  }

  fact(code: HealthFactCode): HealthFact {
    const found = this.manager.state.facts.find((fact) => fact.code === code);
    if (found === undefined) throw new Error(`there is no fact ${code}`);
    return found;
  }

  /** A repair of `code` that does what `act` does, and is noted. */
  repairs(code: HealthFactCode, step: Repair["step"], act: () => void = () => {}): void {
    this.repair = (fact) =>
      fact.code === code
        ? {
            step,
            act: () => {
              this.acted.push(step);
              act();
            },
          }
        : undefined;
  }

  sleep(ms: number): void {
    this.sleptMs += ms;
    this.clock.jumpWallClock(ms);
  }
}
