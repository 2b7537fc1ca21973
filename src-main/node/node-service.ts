/**
 * The node as a state machine. One task at a time: what arrives meanwhile waits its turn.
 *
 *               on                    applied, verified
 *   stopped ────────▶ starting ─────────────────────────▶ running ◀──────────────┐
 *      ▲               │    ▲                               │ differs, lost      │ applied again
 *      │        cannot │    │ on                            ▼                    │
 *      │               ▼    │                           recovering ──────────────┤
 *      │               failed ◀─────────────────────────────┘                    │
 *      │                 │  └─ after three attempts; tried on, ever more slowly ─┘
 *      └── stopping ◀────┴── off, from any phase
 *
 * `running` is called `degraded` while sharing works in part, also after three attempts where the kernel still serves
 * guests and only the helper is missing. Each attempt is a task of its own, so that nobody waits for the next one; when
 * that is, `recovery-ladder.ts` says. The network itself is never changed from here: a spec is applied, or everything is restored.
 */
import { isDeepStrictEqual } from "node:util";
import type { CancelTimer } from "../../src-shared/clock.ts";
import type { Recovery } from "../../src-shared/model/health.ts";
import { exitOf, type PhaseState, type StartStep } from "../../src-shared/model/node-state.ts";
import { errorOf, type HiggsError, ok, type Result } from "../../src-shared/result.ts";
import { factOfTrouble } from "../health/trouble-facts.ts";
import type { Logger } from "../logs/logger.ts";
import { every } from "./every.ts";
import type { ExitPlan } from "./exit-planner.ts";
import { answerAddresses, exitState, type Standing, withPeers } from "./exit-state.ts";
import { ExitWorks } from "./exit-works.ts";
import type { NodeLook, NodeServiceOptions } from "./node-surroundings.ts";
import { PhaseTeller } from "./phase-teller.ts";
import { ATTEMPTS_UNTIL_TOLD, RecoveryLadder, type RecoveryStep } from "./recovery-ladder.ts";
import { INTERRUPTED, StopSignal } from "./stop-signal.ts";

/** Peers are asked this often: a client that connects is seen as such within it. */
export const PEERS_EVERY_MS = 2_000;

/** The helper looks before it touches anything: after these, what was applied before still stands. */
const REFUSED_UNTOUCHED: ReadonlySet<string> = new Set([
  "bad-spec",
  "interface-name-taken",
  "port-in-use",
  "prefix-conflict",
]);

/** Somebody has said no, and is not asked again by a recovery. */
const REFUSED_BY_PERSON: ReadonlySet<string> = new Set(["permission-refused", "not-permitted"]);

const HELPER_LOST: HiggsError = { code: "helper-lost", message: "The privileged helper ended unexpectedly." };

/** A machine that cannot limit at all is not asked at every event, and one that could not for a moment is soon right again. */
const LIMITS_AGAIN_AFTER_MS = 10_000;

export class NodeService {
  readonly #options: NodeServiceOptions;
  readonly #logger: Logger;
  readonly #teller: PhaseTeller;
  readonly #subscriptions: (() => void)[];
  readonly #works: ExitWorks;
  #tasks: Promise<unknown> = Promise.resolve();
  /** A comparison that has not begun yet serves all who ask for one. */
  #comparison: Promise<Result<void>> | undefined;
  #cancelPeers: CancelTimer | undefined;
  #lastFailure: HiggsError = HELPER_LOST;
  /** A person has refused a helper: only the owner begins anew, or one that is there in spite of it. */
  #resigned = false;
  #limitsTriedMs = Number.NEGATIVE_INFINITY;
  readonly #ladder: RecoveryLadder;
  readonly #stopping = new StopSignal();
  #disposing: Promise<void> | undefined;

  constructor(options: NodeServiceOptions) {
    this.#options = options;
    this.#logger = options.logger.child({ area: "node" });
    this.#teller = new PhaseTeller({ clock: options.clock, logger: this.#logger });
    this.#works = new ExitWorks({
      ...options,
      stopping: this.#stopping,
      onStep: (step) => this.#reached(step),
      onLook: () => this.#teller.tellLook(),
    });
    this.#ladder = new RecoveryLadder({
      clock: options.clock,
      report: options.onRecovery,
      onDue: () => void this.#inTurn(() => this.#goOn()),
      onChange: () => this.#teller.tellLook(),
    });
    this.#subscriptions = [
      options.helper.onLost(() => this.refresh()),
      options.helper.onNetworkChange(() => this.refresh()),
    ];
  }

  get state(): PhaseState {
    return this.#teller.state;
  }

  /** The plan that is applied, while the node shares. */
  get plan(): ExitPlan | undefined {
    return this.#works.standing?.plan;
  }

  /** What the last look at the machine has found; undefined while nothing is shared. */
  get look(): NodeLook | undefined {
    return this.#works.look;
  }

  /** What is done at present about an exit that does not stand. */
  get recovery(): Recovery {
    return this.#ladder.state;
  }

  onChange(listener: (state: PhaseState) => void): () => void {
    return this.#teller.onChange(listener);
  }

  /** Calls `listener` after each look, and whenever the recovery comes to another step. */
  onLook(listener: () => void): () => void {
    return this.#teller.onLook(listener);
  }

  /**
   * Carries on where an earlier run stopped: shares if it shared, and takes away what a crash has left
   * if it did not.
   */
  async resume(): Promise<void> {
    const { memory } = this.#options;
    if (memory.wanted) await this.on();
    else if (memory.dirty) await this.#inTurn(() => this.#tearDown());
  }

  /** Shares. The result says whether it worked; the state says so too. */
  on(): Promise<Result<void>> {
    if (this.#disposing !== undefined) return Promise.resolve(INTERRUPTED);
    this.#options.memory.wanted = true;
    return this.#inTurn(async () => {
      if (this.#stopping.wanted) return INTERRUPTED;
      if (this.#works.standing === undefined) return this.#start();
      // Whoever presses the button has waited long enough, and may be asked again.
      if (this.#resigned) return this.#recover(this.#lastFailure);
      return this.#ladder.state.state === "waiting" ? this.#attempt() : ok(undefined);
    });
  }

  /** Stops sharing and puts the network back. */
  off(): Promise<Result<void>> {
    this.#options.memory.wanted = false;
    return this.#stop();
  }

  /** Settings, clients or the machine have changed: compares, and applies where that is needed. Bursts become one. */
  refresh(): void {
    void this.settle();
  }

  /** Resolves when a change made before the call is in the kernel, with the error where it was refused. */
  settle(): Promise<Result<void>> {
    this.#comparison ??= this.#inTurn(() => {
      this.#comparison = undefined;
      return this.#compareAndApply();
    });
    return this.#comparison;
  }

  /** Has the peers' counters read now: for whoever cannot wait for the next time. */
  lookAtPeers(): Promise<void> {
    return this.#askPeers();
  }

  /** Puts the network back without forgetting that sharing is wanted: the next run shares again. Idempotent. */
  dispose(): Promise<void> {
    this.#disposing ??= this.#end();
    return this.#disposing;
  }

  async #end(): Promise<void> {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    await this.#stop();
    this.#teller.close();
  }

  #stop(): Promise<Result<void>> {
    this.#stopping.want();
    this.#ladder.reset();
    return this.#inTurn(async () => {
      this.#stopping.taken();
      const { helper, memory } = this.#options;
      const { phase } = this.state;
      if (phase === "stopped" && !memory.dirty) return ok(undefined);
      // No helper could be had, and the owner knows: quitting raises no prompt for it once more.
      const refused = phase === "failed" && this.#works.step === "helper" && helper.connected === undefined;
      if (this.#disposing !== undefined && refused) return ok(undefined);
      return this.#tearDown();
    });
  }

  async #start(): Promise<Result<void>> {
    this.#ladder.reset();
    this.#resigned = false;
    this.#teller.enter({ phase: "starting", since: this.#teller.now(), step: "helper" });
    const result = await this.#works.bringUp();
    if (result.ok) return this.#settleIn(result.value);
    // Whoever interrupted it waits to take away what there is.
    if (result.error === INTERRUPTED.error) return result;
    return this.#startFailed(result.error);
  }

  async #startFailed(error: HiggsError): Promise<Result<void>> {
    const failed = await this.#giveUp(error);
    if (this.#stopping.wanted || !this.#asksNobody(error)) return failed;
    this.#lastFailure = error;
    this.#ladder.begin(factOfTrouble(error.code), { slowly: true });
    return failed;
  }

  async #compareAndApply(): Promise<Result<void>> {
    if (this.#stopping.wanted) return ok(undefined);
    if (this.#ladder.state.state === "waiting") return this.#reconsider();
    const standing = this.#works.standing;
    if (standing === undefined) return ok(undefined);
    if (this.#resigned && this.#options.helper.connected === undefined) return ok(undefined);
    // A helper holds the exit for the connection that applied it, and lets go of it when that one is gone.
    if (this.#options.helper.connected !== standing.connection) return this.#recover(HELPER_LOST);
    const seen = await this.#works.observe();
    if (!seen.ok) return this.#recover(seen.error);
    const plan = this.#works.plan(seen.value);
    const problems = this.#works.compare(standing, seen.value, plan.ok ? [] : [plan.error]);
    // A plan that cannot be made now (no uplink for a moment) leaves standing what stands.
    if (!plan.ok) return this.#degrade(standing, plan.error);
    const [problem] = problems;
    if (problem !== undefined) return this.#recover(problem);
    return this.#follow(standing, plan.value);
  }

  /** Between two attempts: is there reason to believe that another one would fare better? */
  async #reconsider(): Promise<Result<void>> {
    if (this.#options.helper.connected === undefined) return ok(undefined);
    const seen = await this.#works.observe();
    if (!seen.ok) return ok(undefined);
    if (this.#works.hasAimedAt(this.#works.plan(seen.value)) || !this.#ladder.hasten()) return ok(undefined);
    return this.#attempt();
  }

  /** Makes what stands what is wanted now. */
  async #follow(standing: Standing, plan: ExitPlan): Promise<Result<void>> {
    if (isDeepStrictEqual(plan.spec, standing.plan.spec) && !this.#mayTryLimitsAgain(standing)) {
      return this.#settleIn(this.#works.replan(standing, plan));
    }
    const applied = await this.#works.apply(plan, standing.dnsPort);
    if (!applied.ok && REFUSED_UNTOUCHED.has(applied.error.code)) return this.#degrade(standing, applied.error);
    // Nothing is left of the exit after an apply that failed on its way: bring it up from the start.
    if (!applied.ok) return this.#recover(applied.error);
    const addresses = answerAddresses(applied.value);
    if (!isDeepStrictEqual(addresses, answerAddresses(standing))) {
      const answering = await this.#options.dns.start(addresses, standing.dnsPort);
      if (!answering.ok) return this.#recover(answering.error);
    }
    return this.#settleIn(applied.value);
  }

  /** Limits that the machine refused once may hold now: another program may have been at work in the same place. */
  #mayTryLimitsAgain({ applied }: Standing): boolean {
    const nowMs = this.#options.clock.monotonicMs();
    if (applied.limits?.state !== "failed" || nowMs - this.#limitsTriedMs < LIMITS_AGAIN_AFTER_MS) return false;
    this.#limitsTriedMs = nowMs;
    return true;
  }

  async #recover(cause: HiggsError): Promise<Result<void>> {
    if (exitOf(this.state) === undefined) return { ok: false, error: cause };
    this.#logger.warn("recovering", { cause: cause.code });
    this.#lastFailure = cause;
    this.#resigned = false;
    this.#ladder.begin(factOfTrouble(cause.code));
    return this.#attempt();
  }

  /** The wait before the next attempt is over. */
  async #goOn(): Promise<Result<void>> {
    // Somebody else may have made it meanwhile.
    return this.#stopping.wanted || !this.#ladder.isDue ? ok(undefined) : this.#attempt();
  }

  async #attempt(): Promise<Result<void>> {
    const step = this.#nextStep();
    this.#showRecovery();
    this.#unwatch();
    this.#ladder.start(step);
    if (step === "restart-helper") this.#options.helper.restart();
    const result = await this.#works.bringUp();
    // Whoever interrupted it waits to take away what there is.
    if (this.#stopping.wanted || (!result.ok && result.error === INTERRUPTED.error)) return INTERRUPTED;
    if (!result.ok) return this.#attemptFailed(result.error);
    this.#ladder.succeeded();
    return this.#settleIn(result.value);
  }

  /** Applies; a helper that is gone, or with which that has failed twice, is made anew before. */
  #nextStep(): RecoveryStep {
    if (this.#options.helper.connected === undefined) return "restart-helper";
    const itsFault = this.#works.step === "helper" || this.#works.step === "apply" || this.#works.step === "verify";
    return itsFault && this.#ladder.attempt % ATTEMPTS_UNTIL_TOLD === 0 ? "restart-helper" : "apply";
  }

  async #attemptFailed(error: HiggsError): Promise<Result<void>> {
    const { attempt } = this.#ladder;
    this.#logger.warn("recovery attempt failed", { attempt, code: error.code, message: error.message });
    this.#lastFailure = error;
    const forGood = !this.#asksNobody(error);
    this.#ladder.failed(error, { forGood });
    this.#resigned = forGood;
    if (forGood || this.#ladder.exhausted) return this.#giveUp(error);
    this.#showRecovery();
    return { ok: false, error };
  }

  /** A node that failed, or serves in part, is shown so until it works: a state that flickers tells nobody anything. */
  #showRecovery(): void {
    const exit = exitOf(this.state);
    if (exit === undefined || this.#ladder.exhausted) return;
    const { since, attempt } = this.#ladder;
    this.#teller.enter({ phase: "recovering", since, cause: this.#lastFailure, attempt, exit });
  }

  /** Whether another attempt bothers no person: one who has refused, or would be asked for a password again. */
  #asksNobody(error: HiggsError): boolean {
    return !REFUSED_BY_PERSON.has(error.code) && !(this.#works.step === "helper" && this.#options.helper.prompts);
  }

  /** What cannot be had now: nothing of ours stays but what still serves guests, and the state says why. */
  async #giveUp(cause: HiggsError): Promise<Result<void>> {
    const standing = this.#works.standing;
    const atHelper = this.#works.step === "helper";
    if (atHelper && standing !== undefined && this.#options.interfacesUp().has(interfaceOf(standing))) {
      return this.#degrade(standing, cause);
    }
    this.#unwatch();
    // Without a helper nothing can be taken away now, and asking for one again would raise another prompt.
    const left = atHelper ? await this.#works.letGo() : await this.#works.clearAway();
    if (left !== undefined) this.#logger.warn("gave up", { cause: cause.code, message: cause.message });
    return this.#fail(left ?? cause);
  }

  async #tearDown(): Promise<Result<void>> {
    this.#teller.enter({ phase: "stopping", since: this.#teller.now() });
    this.#unwatch();
    const error = await this.#works.clearAway();
    this.#works.forget();
    if (error !== undefined) return this.#fail(error);
    this.#teller.enter({ phase: "stopped", since: this.#teller.now() });
    return ok(undefined);
  }

  #settleIn(standing: Standing): Result<void> {
    const [problem, ...more] = [...standing.plan.problems, ...this.#options.concerns(standing.plan)];
    if (problem === undefined) {
      const since = this.#teller.since("running");
      this.#teller.enter({ phase: "running", since, exit: exitState(standing, exitOf(this.state)) });
    } else {
      this.#degrade(standing, problem, ...more);
    }
    this.#watch();
    return ok(undefined);
  }

  /** Sharing goes on, but something that matters is missing. The result is the first problem. */
  #degrade(standing: Standing, problem: HiggsError, ...more: HiggsError[]): Result<void> {
    const since = this.#teller.since("degraded");
    const exit = exitState(standing, exitOf(this.state));
    this.#teller.enter({ phase: "degraded", since, exit, problems: [problem, ...more] });
    return { ok: false, error: problem };
  }

  #fail(error: HiggsError): Result<void> {
    this.#teller.enter({ phase: "failed", since: this.#teller.since("failed"), error });
    return { ok: false, error };
  }

  async #askPeers(): Promise<void> {
    try {
      const seen = await this.#works.readPeers();
      const { state } = this;
      if (seen === undefined || (state.phase !== "running" && state.phase !== "degraded")) return;
      if (seen.state !== "present") return this.refresh();
      const exit = withPeers(state.exit, seen, this.#options.clock.nowMs());
      if (!isDeepStrictEqual(exit, state.exit)) this.#teller.enter({ ...state, exit });
    } catch (thrown) {
      this.#logUnexpected("asking for peers failed", thrown);
    }
  }

  #watch(): void {
    this.#cancelPeers ??= every(this.#options.clock, PEERS_EVERY_MS, () => this.#askPeers());
  }

  #unwatch(): void {
    this.#cancelPeers?.();
    this.#cancelPeers = undefined;
  }

  #reached(step: StartStep): void {
    if (this.state.phase === "starting" && this.state.step !== step) this.#teller.enter({ ...this.state, step });
  }

  /** Tasks run one after the other; one that throws fails alone. */
  #inTurn(task: () => Promise<Result<void>>): Promise<Result<void>> {
    const turn = this.#tasks.then(task).catch((thrown: unknown) => {
      this.#logUnexpected("a task failed", thrown);
      return this.#afterSurprise(errorOf(thrown));
    });
    this.#tasks = turn;
    return turn;
  }

  /** A task that threw may have left the node between two phases; no later task would lead out of there. */
  async #afterSurprise(error: HiggsError): Promise<Result<void>> {
    const { phase } = this.state;
    try {
      if (this.#ladder.state.state === "running") return await this.#attemptFailed(error);
      if (phase === "starting") return await this.#startFailed(error);
    } catch (thrown) {
      this.#logUnexpected("giving up failed", thrown);
    }
    if (phase !== "starting" && phase !== "stopping") return { ok: false, error };
    this.#unwatch();
    this.#works.forget();
    return this.#fail(error);
  }

  #logUnexpected(message: string, thrown: unknown): void {
    this.#logger.error(message, thrown instanceof Error ? thrown : new Error(String(thrown)));
  }
}

function interfaceOf({ plan }: Standing): string {
  return plan.spec.wireguard.interfaceName;
}
