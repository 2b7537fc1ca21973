/**
 * The node as a state machine. One task at a time: what arrives meanwhile waits its turn.
 *
 *               on                    applied, verified
 *   stopped ────────▶ starting ─────────────────────────▶ running ◀──────────────┐
 *      ▲               │    ▲                               │ differs, lost      │ applied again
 *      │        cannot │    │ on                            ▼                    │
 *      │               ▼    │                           recovering ──────────────┘
 *      │               failed ◀─────────────────────────────┘
 *      │                 │        after the last attempt
 *      └── stopping ◀────┴── off, from any phase
 *
 * `running` is called `degraded` while sharing works in part. A node that failed for want of a network starts
 * again when there is one. The network itself is never changed from here: a spec is applied, or everything
 * is restored.
 */
import { isDeepStrictEqual } from "node:util";
import type { CancelTimer } from "../../src-shared/clock.ts";
import { exitOf, type PhaseState, type StartStep } from "../../src-shared/model/node-state.ts";
import type { NetworkObservation, ObservedWireguard } from "../../src-shared/network-observation.ts";
import { errorOf, type HiggsError, ok, type Result } from "../../src-shared/result.ts";
import type { Logger } from "../logs/logger.ts";
import { findProblems } from "./compare-network.ts";
import { every } from "./every.ts";
import type { ExitPlan } from "./exit-planner.ts";
import { answerAddresses, exitState, type Standing, withPeers } from "./exit-state.ts";
import type { NodeServiceOptions } from "./node-surroundings.ts";
import { INTERRUPTED, StopSignal } from "./stop-signal.ts";

/** Peers are asked this often: a client that connects is seen as such within it. */
export const PEERS_EVERY_MS = 2_000;

/** Everything is compared this often, in case no event told of a change. */
export const CHECK_EVERY_MS = 30_000;

/** Waits before the attempts of one recovery; after the last the node gives up and says why. */
export const RECOVERY_DELAYS_MS = [0, 500, 1_000, 2_000, 5_000] as const;

/** Where the DNS answerer listens: unprivileged, and rarely used by others. The next ones are tried. */
export const FIRST_DNS_PORT = 20_053;
export const DNS_PORTS_TRIED = 8;

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

export class NodeService {
  readonly #options: NodeServiceOptions;
  readonly #logger: Logger;
  readonly #listeners = new Set<(state: PhaseState) => void>();
  readonly #subscriptions: (() => void)[];
  #state: PhaseState;
  #standing: Standing | undefined;
  #tasks: Promise<unknown> = Promise.resolve();
  /** A comparison that has not begun yet serves all who ask for one. */
  #comparison: Promise<Result<void>> | undefined;
  #watches: CancelTimer[] = [];
  /** How far the last attempt to bring the exit up has come. */
  #step: StartStep = "helper";
  readonly #stopping = new StopSignal();
  #disposing: Promise<void> | undefined;

  constructor(options: NodeServiceOptions) {
    this.#options = options;
    this.#logger = options.logger.child({ area: "node" });
    this.#state = { phase: "stopped", since: this.#now() };
    this.#subscriptions = [
      options.helper.onLost(() => this.refresh()),
      options.helper.onNetworkChange(() => this.#networkChanged()),
    ];
  }

  get state(): PhaseState {
    return this.#state;
  }

  /** The plan that is applied, while the node shares. */
  get plan(): ExitPlan | undefined {
    return this.#standing?.plan;
  }

  onChange(listener: (state: PhaseState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
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
      return this.#standing === undefined ? this.#start() : ok(undefined);
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
    this.#listeners.clear();
  }

  #stop(): Promise<Result<void>> {
    this.#stopping.want();
    return this.#inTurn(async () => {
      this.#stopping.taken();
      const { helper, memory } = this.#options;
      const { phase } = this.#state;
      if (phase === "stopped" && !memory.dirty) return ok(undefined);
      // No helper could be had, and the owner knows: quitting raises no prompt for it once more.
      const refused = phase === "failed" && this.#step === "helper" && helper.connected === undefined;
      if (this.#disposing !== undefined && refused) return ok(undefined);
      return this.#tearDown();
    });
  }

  async #start(): Promise<Result<void>> {
    this.#enter({ phase: "starting", since: this.#now(), step: "helper" });
    const result = await this.#bringUp();
    if (result.ok) return this.#settleIn(result.value);
    // Whoever interrupted it waits to take away what there is.
    if (result.error === INTERRUPTED.error) return result;
    return this.#giveUp(result.error);
  }

  /** From nothing, or from what is left of an earlier attempt, to a verified exit. */
  async #bringUp(): Promise<Result<Standing>> {
    const { helper, dns } = this.#options;
    this.#reach("helper");
    // A person may be reading a prompt.
    const connected = await this.#stopping.unlessWanted(helper.ensure());
    if (!connected.ok) return connected;
    this.#reach("inspect");
    const subscribed = await helper.call("subscribe", { topics: this.#options.topics?.() ?? ["network-change"] });
    if (!subscribed.ok) return subscribed;
    const seen = await this.#observe();
    if (!seen.ok) return seen;
    const firstPort = this.#standing?.dnsPort ?? FIRST_DNS_PORT;
    for (let dnsPort = firstPort; ; dnsPort++) {
      if (this.#stopping.wanted) return INTERRUPTED;
      const plan = this.#options.plan(seen.value, dnsPort);
      if (!plan.ok) return plan;
      this.#reach("apply");
      const standing = await this.#apply(plan.value, dnsPort);
      if (!standing.ok) return standing;
      this.#reach("dns");
      const answering = await dns.start(answerAddresses(standing.value), dnsPort);
      if (answering.ok) return this.#verify(standing.value);
      const last = dnsPort - firstPort + 1 >= DNS_PORTS_TRIED;
      if (answering.error.code !== "dns-port-taken" || last) return answering;
    }
  }

  async #apply(plan: ExitPlan, dnsPort: number): Promise<Result<Standing>> {
    const { helper, memory, onApplied } = this.#options;
    memory.dirty = true;
    const connection = helper.connected;
    const applied = await helper.call("apply", { spec: plan.spec });
    if (!applied.ok) return applied;
    this.#standing = { plan, applied: applied.value, dnsPort, connection };
    onApplied(applied.value);
    return ok(this.#standing);
  }

  async #verify(standing: Standing): Promise<Result<Standing>> {
    this.#reach("verify");
    const seen = await this.#observe();
    if (!seen.ok) return seen;
    const [problem] = findProblems(standing.plan.spec, seen.value, standing.applied);
    return problem === undefined ? ok(standing) : { ok: false, error: problem };
  }

  async #compareAndApply(): Promise<Result<void>> {
    const standing = this.#standing;
    if (standing === undefined || this.#stopping.wanted) return ok(undefined);
    // A helper holds the exit for the connection that applied it, and lets go of it when that one is gone.
    if (this.#options.helper.connected !== standing.connection) return this.#recover(HELPER_LOST);
    const seen = await this.#observe();
    if (!seen.ok) return this.#recover(seen.error);
    const plan = this.#options.plan(seen.value, standing.dnsPort);
    // A plan that cannot be made now (no uplink for a moment) leaves standing what stands.
    if (!plan.ok) return this.#degrade(standing, plan.error);
    const [problem] = findProblems(standing.plan.spec, seen.value, standing.applied);
    if (problem !== undefined) return this.#recover(problem);
    return this.#follow(standing, plan.value);
  }

  /** Makes what stands what is wanted now. */
  async #follow(standing: Standing, plan: ExitPlan): Promise<Result<void>> {
    if (isDeepStrictEqual(plan.spec, standing.plan.spec)) {
      this.#standing = { ...standing, plan };
      return this.#settleIn(this.#standing);
    }
    const applied = await this.#apply(plan, standing.dnsPort);
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

  async #recover(cause: HiggsError): Promise<Result<void>> {
    const exit = exitOf(this.#state);
    if (exit === undefined) return { ok: false, error: cause };
    const since = this.#now();
    this.#logger.warn("recovering", { cause: cause.code });
    this.#unwatch();
    let last = cause;
    for (const [index, waitMs] of RECOVERY_DELAYS_MS.entries()) {
      this.#enter({ phase: "recovering", since, cause, attempt: index + 1, exit });
      const waited = waitMs === 0 ? ok(undefined) : await this.#stopping.pause(this.#options.clock, waitMs);
      const result = waited.ok ? await this.#bringUp() : waited;
      if (result.ok) return this.#settleIn(result.value);
      if (result.error === INTERRUPTED.error) return result;
      last = result.error;
      this.#logger.warn("recovery attempt failed", { attempt: index + 1, code: last.code, message: last.message });
      if (REFUSED_BY_PERSON.has(last.code)) break;
    }
    return this.#giveUp(last);
  }

  /** After the last attempt: nothing of ours stays, and the state says why. */
  async #giveUp(cause: HiggsError): Promise<Result<void>> {
    // Without a helper nothing can be taken away now, and asking for one again would raise another prompt.
    const left = this.#step === "helper" ? await this.#letGo() : await this.#clearAway();
    if (left !== undefined) this.#logger.warn("gave up", { cause: cause.code, message: cause.message });
    return this.#fail(left ?? cause);
  }

  async #tearDown(): Promise<Result<void>> {
    this.#enter({ phase: "stopping", since: this.#now() });
    const error = await this.#clearAway();
    if (error !== undefined) return this.#fail(error);
    this.#enter({ phase: "stopped", since: this.#now() });
    return ok(undefined);
  }

  /** Ends everything on this side of the helper. */
  async #letGo(): Promise<undefined> {
    this.#unwatch();
    this.#standing = undefined;
    await this.#options.dns.stop();
  }

  /** Takes everything of ours away; the error where something could not be. */
  async #clearAway(): Promise<HiggsError | undefined> {
    const { helper, memory, onPeers } = this.#options;
    this.#unwatch();
    await this.#readPeers();
    await this.#letGo();
    if (!memory.dirty) return undefined;
    const restored = await helper.call("restore", {});
    const left = restored.ok ? restored.value.failed[0] : restored.error.message;
    if (left !== undefined) {
      return {
        code: "restore-failed",
        message: `The network could not be put back: ${left}`,
        hint: "Run: higgsnode restore-network",
      };
    }
    onPeers({ state: "absent" });
    memory.dirty = false;
    return undefined;
  }

  /** A node that failed for want of a network begins again when there may be one. */
  #networkChanged(): void {
    const { state } = this;
    const waits = state.phase === "failed" && state.error.code === "no-uplink" && this.#options.memory.wanted;
    if (waits) void this.on();
    else this.refresh();
  }

  #settleIn(standing: Standing): Result<void> {
    const [problem, ...more] = standing.plan.problems;
    if (problem === undefined) {
      const since = this.#state.phase === "running" ? this.#state.since : this.#now();
      this.#enter({ phase: "running", since, exit: exitState(standing, exitOf(this.#state)) });
    } else {
      this.#degrade(standing, problem, ...more);
    }
    this.#watch();
    return ok(undefined);
  }

  /** Sharing goes on, but something that matters is missing. The result is the first problem. */
  #degrade(standing: Standing, problem: HiggsError, ...more: HiggsError[]): Result<void> {
    const since = this.#state.phase === "degraded" ? this.#state.since : this.#now();
    const exit = exitState(standing, exitOf(this.#state));
    this.#enter({ phase: "degraded", since, exit, problems: [problem, ...more] });
    return { ok: false, error: problem };
  }

  #fail(error: HiggsError): Result<void> {
    this.#enter({ phase: "failed", since: this.#now(), error });
    return { ok: false, error };
  }

  /** Every observation passes here, so that no traffic is counted wrongly. */
  async #observe(): Promise<Result<NetworkObservation>> {
    const seen = await this.#options.helper.call("observe", {});
    if (seen.ok) this.#options.onPeers(seen.value.wireguard);
    return seen;
  }

  /** What the interface counts at present; undefined where there is nobody to ask, or what stood was replaced. */
  async #readPeers(): Promise<ObservedWireguard | undefined> {
    const standing = this.#standing;
    const connection = this.#options.helper.connected;
    if (standing === undefined || connection === undefined) return undefined;
    const seen = await connection.call("observe-peers", {});
    // Whatever happened meanwhile has its own task.
    if (!seen.ok || this.#standing !== standing) return undefined;
    this.#options.onPeers(seen.value);
    return seen.value;
  }

  async #askPeers(): Promise<void> {
    try {
      const seen = await this.#readPeers();
      const { state } = this;
      if (seen === undefined || (state.phase !== "running" && state.phase !== "degraded")) return;
      if (seen.state !== "present") return this.refresh();
      const exit = withPeers(state.exit, seen, this.#options.clock.nowMs());
      if (!isDeepStrictEqual(exit, state.exit)) this.#enter({ ...state, exit });
    } catch (thrown) {
      this.#logUnexpected("asking for peers failed", thrown);
    }
  }

  #watch(): void {
    if (this.#watches.length > 0) return;
    const { clock } = this.#options;
    this.#watches = [
      every(clock, PEERS_EVERY_MS, () => this.#askPeers()),
      every(clock, CHECK_EVERY_MS, () => this.refresh()),
    ];
  }

  #unwatch(): void {
    for (const cancel of this.#watches.splice(0)) cancel();
  }

  #reach(step: StartStep): void {
    this.#step = step;
    if (this.#state.phase === "starting" && this.#state.step !== step) this.#enter({ ...this.#state, step });
  }

  #enter(state: PhaseState): void {
    if (state.phase !== this.#state.phase) this.#logger.info("phase", { phase: state.phase, ...reasonOf(state) });
    this.#state = state;
    for (const listener of [...this.#listeners]) {
      try {
        listener(state);
      } catch (thrown) {
        this.#logUnexpected("a listener failed", thrown);
      }
    }
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
    const { phase } = this.#state;
    if (phase !== "starting" && phase !== "recovering" && phase !== "stopping") return { ok: false, error };
    try {
      if (phase !== "stopping") return await this.#giveUp(error);
    } catch (thrown) {
      this.#logUnexpected("giving up failed", thrown);
    }
    this.#unwatch();
    this.#standing = undefined;
    return this.#fail(error);
  }

  #logUnexpected(message: string, thrown: unknown): void {
    this.#logger.error(message, thrown instanceof Error ? thrown : new Error(String(thrown)));
  }

  #now(): string {
    return new Date(this.#options.clock.nowMs()).toISOString();
  }
}

function reasonOf(state: PhaseState): Record<string, string> {
  switch (state.phase) {
    case "failed":
      return { code: state.error.code, reason: state.error.message };
    case "degraded":
      return { code: state.problems[0]?.code ?? "" };
    case "recovering":
      return { cause: state.cause.code };
    case "stopped":
    case "starting":
    case "running":
    case "stopping":
      return {};
  }
}
