/**
 * Looks after the node: judges every fact from what was seen and tried, tells what has changed, and has services repaired.
 * Events first: each change of the node, its relay or its router is judged at once; in case none came, everything is looked
 * at every half minute. While nobody wants to share, it does nothing at all.
 */
import { EventEmitter } from "node:events";
import { isDeepStrictEqual } from "node:util";
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";
import {
  HEALTH_NOT_LOOKED,
  type Health,
  type HealthFact,
  type HealthFactCode,
  type Recovery,
} from "../../src-shared/model/health.ts";
import type { HealthVerdict } from "../../src-shared/model/health-verdict.ts";
import type { Logger } from "../logs/logger.ts";
import type { RecoveryLine } from "../node/recovery-ladder.ts";
import { ClockWatch } from "./clock-watch.ts";
import { HEALTH_FACTS, type RegisteredFact } from "./facts.ts";
import type { HealthContext, Probe, ProbeName } from "./health-context.ts";
import type { NewHealthEvent } from "./health-history.ts";
import { isShown, judge, overallOf, remember, type Standings } from "./judge.ts";
import { ProbeRunner } from "./probe-runner.ts";
import { type Repair, ServiceRecovery } from "./service-recovery.ts";
import { TroubleLog } from "./trouble-log.ts";
import type { Doing } from "./uptime.ts";

/** Everything is looked at this often, in case no event told of a change. */
export const CHECK_EVERY_MS = 30_000;

/** The checks of several programs on one machine drift apart by this. */
const CHECK_JITTER_MS = 5_000;

/** What the machine does after a change comes in bursts; one look serves them. */
const PROBE_SOON_MS = 300;

/** A probe that failed is repeated before anybody is told. */
const PROBE_AGAIN_MS = 2_500;

/** The host's word that the machine woke and the clocks' are about the same sleep. */
const SAME_SLEEP_MS = 30_000;

export interface HealthEvents {
  healthy: [HealthFact];
  unhealthy: [HealthFact];
  recovered: [RecoveryLine];
  recoveryFailed: [RecoveryLine];
  /** The state has changed. */
  changed: [Health];
}

export interface HealthCheckOptions {
  clock: Clock;
  /** From 0 to 1. */
  random: () => number;
  logger: Logger;
  facts?: readonly RegisteredFact[];
  context: () => Omit<HealthContext, "clock" | "probes">;
  probes: Readonly<Record<ProbeName, Probe>>;
  /** What the answers of the probes depend on; when it is another value, they are asked anew. */
  subject: () => unknown;
  /** Compares the exit with what it should be, and repairs it. */
  settle: () => Promise<unknown>;
  exitRecovery: () => Recovery;
  repairOf: (fact: HealthFact) => Repair | undefined;
  keepAwake: () => boolean;
  /** Milliseconds since the machine started, sleep included. */
  uptimeMs: () => number;
  record: (event: NewHealthEvent) => void;
  noteUptime: (doing: Doing) => void;
}

export class HealthCheckManager extends EventEmitter<HealthEvents> {
  readonly #options: HealthCheckOptions;
  readonly #logger: Logger;
  readonly #facts: readonly RegisteredFact[];
  readonly #probes: ProbeRunner;
  readonly #services: ServiceRecovery;
  readonly #clockWatch: ClockWatch;
  #state: Health = HEALTH_NOT_LOOKED;
  #standings: Standings = new Map();
  readonly #troubles: TroubleLog;
  #checkedAt: string | null = null;
  #checking: Promise<void> | undefined;
  #subject: unknown;
  #wokeAtMs = Number.NEGATIVE_INFINITY;
  #cancelCheck: CancelTimer | undefined;
  #cancelShow: CancelTimer = () => {};
  #cancelProbe: CancelTimer | undefined;
  #updating = false;
  #isStale = false;
  #disposed = false;

  constructor(options: HealthCheckOptions) {
    super();
    this.#options = options;
    this.#logger = options.logger.child({ area: "health" });
    this.#facts = options.facts ?? HEALTH_FACTS;
    const { clock, uptimeMs } = options;
    this.#probes = new ProbeRunner({
      clock,
      logger: this.#logger,
      probes: options.probes,
      onChange: () => this.update(),
    });
    this.#services = new ServiceRecovery({
      clock,
      logger: this.#logger,
      repairOf: options.repairOf,
      report: (line) => this.noteRecovery(line),
      onActed: () => this.#probeSoon(),
      onChange: () => this.update(),
    });
    this.#troubles = new TroubleLog({
      record: (event) => this.#record(event),
      onUnhealthy: (fact) => this.#emitSafely("unhealthy", fact),
      onHealthy: (fact) => this.#emitSafely("healthy", fact),
    });
    this.#clockWatch = new ClockWatch({
      clock,
      uptimeMs,
      onEvent: ({ kind, durationMs }) => (kind === "woke" ? this.#slept(durationMs) : this.#jumped(durationMs)),
    });
  }

  get state(): Health {
    return this.#state;
  }

  /** Judges what is known now: to be called with every change. Waits for nothing, and never throws. */
  update(): void {
    if (this.#disposed) return;
    // What is told or repaired below may lead here again: that is looked at after, and once.
    this.#isStale = this.#updating;
    if (this.#updating) return;
    this.#updating = true;
    try {
      this.#update();
      if (this.#isStale) this.#update();
    } catch (thrown) {
      this.#logger.error("health could not be judged", asError(thrown));
    } finally {
      this.#updating = false;
    }
  }

  /** Looks at everything now, also at what was good a moment ago. */
  async check(): Promise<Health> {
    this.#probes.forget();
    await this.#check();
    return this.#state;
  }

  /** The machine has slept, as its host was told. */
  woke(): void {
    if (!this.#isActive()) return;
    // The clocks tell how long.
    this.#clockWatch.look();
    this.#slept(null);
  }

  /** A step of a recovery, for the history. */
  noteRecovery(line: RecoveryLine): void {
    this.#record(line);
    if (line.kind === "recovered") this.#emitSafely("recovered", line);
    if (line.kind === "recovery-failed") this.#emitSafely("recoveryFailed", line);
  }

  /** Idempotent. */
  dispose(): void {
    this.#stop();
    this.#disposed = true;
    this.removeAllListeners();
  }

  #update(): void {
    const { clock } = this.#options;
    const active = this.#isActive();
    if (active) this.#begin();
    else this.#stop();
    const now = { wall: new Date(clock.nowMs()).toISOString(), monotonicMs: clock.monotonicMs() };
    this.#standings = remember(this.#standings, this.#lookAtAll(active), now);
    const { facts, showAtMs } = judge(this.#facts, this.#standings, now.monotonicMs);
    this.#cancelShow();
    if (showAtMs !== undefined) this.#cancelShow = clock.after(showAtMs - now.monotonicMs, () => this.update());
    const exitRecovery = this.#options.exitRecovery();
    if (!active) {
      this.#troubles.forget();
    } else {
      const sinceMs = (code: HealthFactCode) => this.#standings.get(code)?.sinceMs ?? now.monotonicMs;
      this.#troubles.follow(facts, exitRecovery, now.monotonicMs, sinceMs);
      this.#followSubject();
      this.#services.update(facts, exitRecovery.state !== "idle");
      if (facts.some(({ waiting, code }) => waiting && isProbed(code))) this.#probeSoon(PROBE_AGAIN_MS);
    }
    this.#publish(facts);
    this.#noteUptime(facts);
  }

  #publish(facts: HealthFact[]): void {
    const exitRecovery = this.#options.exitRecovery();
    const state: Health = {
      overall: overallOf(facts),
      facts,
      checkedAt: this.#checkedAt,
      recovery: exitRecovery.state === "idle" ? this.#services.state : exitRecovery,
      keepAwake: this.#options.keepAwake(),
    };
    if (isDeepStrictEqual(state, this.#state)) return;
    this.#state = state;
    this.#emitSafely("changed", state);
  }

  #lookAtAll(active: boolean): Map<HealthFactCode, HealthVerdict> {
    if (!active) return new Map(this.#facts.map(({ code }) => [code, { state: "off" }]));
    const context: HealthContext = {
      ...this.#options.context(),
      clock: this.#clockWatch.finding,
      probes: this.#probes.found,
    };
    return new Map(this.#facts.map((fact) => [fact.code, this.#lookAt(fact, context)]));
  }

  #lookAt(fact: RegisteredFact, context: HealthContext): HealthVerdict {
    try {
      return fact.look(context);
    } catch (thrown) {
      this.#logger.warn("a health check failed", { fact: fact.code, error: thrown });
      return { state: "unknown" };
    }
  }

  #isActive(): boolean {
    const { phase } = this.#options.context().phase;
    return !this.#disposed && phase !== "stopped" && phase !== "stopping";
  }

  #begin(): void {
    if (this.#cancelCheck !== undefined) return;
    this.#clockWatch.start();
    this.#scheduleCheck();
  }

  #stop(): void {
    this.#cancelCheck?.();
    this.#cancelCheck = undefined;
    this.#cancelShow();
    this.#cancelProbe?.();
    this.#cancelProbe = undefined;
    this.#clockWatch.stop();
    this.#services.reset();
    this.#probes.reset();
    this.#subject = undefined;
    this.#checkedAt = null;
  }

  #scheduleCheck(): void {
    const { clock, random } = this.#options;
    const waitMs = CHECK_EVERY_MS + (2 * random() - 1) * CHECK_JITTER_MS;
    this.#cancelCheck = clock.after(waitMs, () => {
      void this.#check().then(() => {
        if (this.#cancelCheck !== undefined) this.#scheduleCheck();
      });
    });
  }

  /** Callers at the same time share one. Never rejects. */
  #check(): Promise<void> {
    this.#checking ??= this.#lookAtEverything().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  async #lookAtEverything(): Promise<void> {
    try {
      if (this.#isActive()) await Promise.all([this.#options.settle(), this.#probes.run()]);
    } catch (thrown) {
      this.#logger.error("a health check failed", asError(thrown));
    }
    if (this.#isActive()) this.#checkedAt = new Date(this.#options.clock.nowMs()).toISOString();
    this.update();
  }

  #followSubject(): void {
    const subject = this.#options.subject();
    if (isDeepStrictEqual(subject, this.#subject)) return;
    this.#subject = subject;
    this.#probes.forget();
    this.#services.hasten();
    this.#probeSoon();
  }

  #probeSoon(waitMs = PROBE_SOON_MS): void {
    if (this.#disposed) return;
    this.#cancelProbe ??= this.#options.clock.after(waitMs, () => {
      this.#cancelProbe = undefined;
      void this.#probes.run();
    });
  }

  #slept(durationMs: number | null): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#wokeAtMs < SAME_SLEEP_MS) return;
    this.#wokeAtMs = nowMs;
    this.#record({ kind: "woke", fact: null, error: null, step: null, attempt: null, durationMs });
    this.#verifyAgain();
  }

  #jumped(durationMs: number): void {
    this.#record({ kind: "clock-jumped", fact: "clock", error: null, step: null, attempt: null, durationMs });
    this.#verifyAgain();
  }

  #verifyAgain(): void {
    this.#services.hasten();
    void this.check();
  }

  #noteUptime(facts: readonly HealthFact[]): void {
    const { phase } = this.#options.context().phase;
    const stands = phase === "running" || phase === "degraded";
    const working = stands && !facts.some((fact) => isShown(fact) && fact.cutsConnectivity);
    try {
      this.#options.noteUptime({ wanted: this.#isActive(), working });
    } catch (thrown) {
      this.#logger.warn("uptime could not be saved", { error: thrown });
    }
  }

  /** A disk that is full must not end the watch. */
  #record(event: NewHealthEvent): void {
    try {
      this.#options.record(event);
    } catch (thrown) {
      this.#logger.warn("a line of the health history could not be saved", { kind: event.kind, error: thrown });
    }
  }

  #emitSafely<E extends keyof HealthEvents>(name: E, ...payload: HealthEvents[E]): void {
    for (const listener of this.listeners(name)) {
      try {
        Reflect.apply(listener, this, payload);
      } catch (thrown) {
        this.#logger.error("a listener of health failed", asError(thrown));
      }
    }
  }
}

function isProbed(code: HealthFactCode): boolean {
  return code === "dns" || code === "egressIpv4" || code === "egressIpv6";
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
