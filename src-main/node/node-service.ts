/**
 * The node as a state machine. One task at a time: what arrives meanwhile waits its turn.
 *
 *              on                    applied, verified
 *   stopped ───────▶ starting ──────────────────────────▶ running ◀──────────────┐
 *      ▲                │ cannot                            │ differs, lost      │ applied again
 *      │                ▼                                   ▼                    │
 *      │             failed ◀──────────────────────── recovering ────────────────┘
 *      │                │          after MAX_ATTEMPTS
 *      └── stopping ◀───┴── off, from any phase
 *
 * `running` becomes `degraded` while sharing works in part. The network itself is never changed from
 * here: a spec is applied, or everything is restored.
 */
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";
import type { ApplyResult } from "../../src-shared/helper/protocol.ts";
import { CONNECTED_WITHIN_MS } from "../../src-shared/model/client.ts";
import type { ExitState, Ipv6State, PhaseState, StartStep } from "../../src-shared/model/node-state.ts";
import { exitOf } from "../../src-shared/model/node-state.ts";
import type { NetworkObservation, ObservedWireguard } from "../../src-shared/network-observation.ts";
import type { NetworkSpec } from "../../src-shared/network-spec.ts";
import { errorOf, fail, type HiggsError, ok, type Result } from "../../src-shared/result.ts";
import type { HelperLink } from "../helper/helper-link.ts";
import type { Logger } from "../logs/logger.ts";
import { findProblems } from "./compare-network.ts";
import type { ExitPlan } from "./exit-planner.ts";

/** Peers are asked this often: a client that connects is seen as such within it. */
const PEERS_EVERY_MS = 2_000;

/** Everything is compared this often, in case no event told of a change. */
const CHECK_EVERY_MS = 30_000;

/** Waits before the attempts of one recovery; after the last the node gives up and says why. */
const RECOVERY_DELAYS_MS = [0, 500, 1_000, 2_000, 5_000] as const;

/** Where the DNS answerer listens: unprivileged, and rarely used by others. The next ones are tried. */
const FIRST_DNS_PORT = 20_053;
const DNS_PORTS_TRIED = 8;

/** The helper looks before it touches anything: after these, what was applied before still stands. */
const REFUSED_UNTOUCHED: ReadonlySet<string> = new Set([
  "bad-spec",
  "interface-name-taken",
  "port-in-use",
  "prefix-conflict",
]);

export interface NodeServiceOptions {
  helper: Pick<HelperLink, "ensure" | "call" | "connected" | "onLost" | "onNetworkChange" | "findRunning">;
  clock: Clock;
  logger: Logger;
  /** What the spec should be, seen from settings, clients and the machine as it is. */
  plan: (observation: NetworkObservation, dnsPort: number) => Result<ExitPlan>;
  dns: {
    start(addresses: readonly string[], port: number): Promise<Result<void>>;
    stop(): Promise<void>;
  };
  onApplied: (applied: ApplyResult) => void;
  /** Takes the peers' counters. */
  onPeers: (seen: ObservedWireguard) => void;
  /** Remembers over a restart whether sharing is wanted, and whether the network may hold traces of ours. */
  memory: {
    wanted: boolean;
    dirty: boolean;
  };
}

/** What stands while the node shares. */
interface Standing {
  plan: ExitPlan;
  applied: ApplyResult;
  dnsPort: number;
}

export class NodeService {
  readonly #options: NodeServiceOptions;
  readonly #logger: Logger;
  readonly #listeners = new Set<(state: PhaseState) => void>();
  readonly #subscriptions: (() => void)[];
  #state: PhaseState;
  #standing: Standing | undefined;
  #tasks: Promise<unknown> = Promise.resolve();
  #refreshWaits = false;
  #cancelPeers: CancelTimer | undefined;
  #cancelCheck: CancelTimer | undefined;
  /** Ends the wait between two attempts, because the owner wants something else. */
  #interrupt: (() => void) | undefined;
  #disposed = false;

  constructor(options: NodeServiceOptions) {
    this.#options = options;
    this.#logger = options.logger.child({ area: "node" });
    this.#state = { phase: "stopped", since: this.#now() };
    this.#subscriptions = [
      options.helper.onLost(() => this.#lostHelper()),
      options.helper.onNetworkChange(() => this.refresh()),
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
    this.#options.memory.wanted = true;
    return this.#inTurn(async () => {
      if (!this.#options.memory.wanted) return ok(undefined);
      if (this.#standing !== undefined) return ok(undefined);
      return this.#start();
    });
  }

  /** Stops sharing and puts the network back. */
  off(): Promise<Result<void>> {
    this.#options.memory.wanted = false;
    this.#interrupt?.();
    return this.#inTurn(async () => {
      if (this.#state.phase === "stopped" && !this.#options.memory.dirty) return ok(undefined);
      return this.#tearDown();
    });
  }

  /** Settings, clients or the machine have changed: compares, and applies where that is needed. Bursts become one. */
  refresh(): void {
    if (this.#refreshWaits || this.#disposed) return;
    this.#refreshWaits = true;
    void this.#inTurn(async () => {
      this.#refreshWaits = false;
      await this.#compareAndApply();
    });
  }

  /** Resolves when a change made before the call is in the kernel, with the error where it was refused. */
  settle(): Promise<Result<void>> {
    return this.#inTurn(() => this.#compareAndApply());
  }

  /** Puts the network back without forgetting that sharing is wanted: the next run shares again. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#interrupt?.();
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    await this.#tasks;
    if (this.#state.phase !== "stopped") await this.#tearDown();
    this.#listeners.clear();
  }

  async #start(): Promise<Result<void>> {
    this.#options.memory.dirty = true;
    const result = await this.#bringUp((step) => this.#enter({ phase: "starting", since: this.#now(), step }));
    if (result.ok) {
      this.#enter({ phase: "running", since: this.#now(), exit: this.#exitState(result.value) });
      this.#watch();
      return ok(undefined);
    }
    await this.#clearAway();
    this.#enter({ phase: "failed", since: this.#now(), error: result.error });
    return result;
  }

  /** From nothing, or from what is left of an earlier attempt, to a verified exit. */
  async #bringUp(step: (step: StartStep) => void): Promise<Result<Standing>> {
    const { helper } = this.#options;
    step("helper");
    const connected = await helper.ensure();
    if (!connected.ok) return connected;
    step("inspect");
    const subscribed = await helper.call("subscribe", { topics: ["network-change"] });
    if (!subscribed.ok) return subscribed;
    const seen = await helper.call("observe", {});
    if (!seen.ok) return seen;
    let dnsPort = this.#standing?.dnsPort ?? FIRST_DNS_PORT;
    for (let tried = 0; ; tried++) {
      step("apply");
      const standing = await this.#apply(seen.value, dnsPort);
      if (!standing.ok) return standing;
      step("dns");
      const answering = await this.#options.dns.start(answerAddresses(standing.value), dnsPort);
      if (answering.ok) {
        step("verify");
        return this.#verify(standing.value);
      }
      if (answering.error.code !== "dns-port-taken" || tried >= DNS_PORTS_TRIED) return answering;
      dnsPort++;
    }
  }

  async #apply(seen: NetworkObservation, dnsPort: number): Promise<Result<Standing>> {
    const plan = this.#options.plan(seen, dnsPort);
    if (!plan.ok) return plan;
    const applied = await this.#options.helper.call("apply", { spec: plan.value.spec });
    if (!applied.ok) return applied;
    this.#standing = { plan: plan.value, applied: applied.value, dnsPort };
    this.#options.onApplied(applied.value);
    return ok(this.#standing);
  }

  async #verify(standing: Standing): Promise<Result<Standing>> {
    const seen = await this.#options.helper.call("observe", {});
    if (!seen.ok) return seen;
    const [problem] = problemsOf(standing, standing.plan.spec, seen.value);
    if (problem !== undefined) return { ok: false, error: problem };
    return ok(standing);
  }

  async #compareAndApply(): Promise<Result<void>> {
    const standing = this.#standing;
    if (standing === undefined || !this.#options.memory.wanted) return ok(undefined);
    const seen = await this.#options.helper.call("observe", {});
    if (!seen.ok) return this.#recover(seen.error);
    const plan = this.#options.plan(seen.value, standing.dnsPort);
    // A plan that cannot be made now (no uplink for a moment) leaves standing what stands.
    if (!plan.ok) return this.#degrade(plan.error);
    const wanted = plan.value.spec;
    const [problem] = problemsOf(standing, standing.plan.spec, seen.value);
    if (problem !== undefined) return this.#recover(problem);
    if (JSON.stringify(wanted) !== JSON.stringify(standing.plan.spec)) {
      const applied = await this.#apply(seen.value, standing.dnsPort);
      if (!applied.ok && REFUSED_UNTOUCHED.has(applied.error.code)) return this.#degrade(applied.error);
      // Nothing is left of the exit after an apply that failed on its way: bring it up from the start.
      if (!applied.ok) return this.#recover(applied.error);
      const addresses = answerAddresses(applied.value);
      if (String(addresses) !== String(answerAddresses(standing))) {
        const answering = await this.#options.dns.start(addresses, standing.dnsPort);
        if (!answering.ok) return this.#recover(answering.error);
      }
    } else {
      this.#standing = { ...standing, plan: plan.value };
    }
    this.#settleInRunning();
    return ok(undefined);
  }

  async #recover(cause: HiggsError): Promise<Result<void>> {
    const { memory } = this.#options;
    const exit = exitOf(this.#state);
    if (exit === undefined) return { ok: false, error: cause };
    const since = this.#now();
    this.#logger.warn("recovering", { cause: cause.code });
    this.#unwatch();
    let last = cause;
    for (const [index, waitMs] of RECOVERY_DELAYS_MS.entries()) {
      this.#enter({ phase: "recovering", since, cause, attempt: index + 1, exit });
      if (waitMs > 0) await this.#pause(waitMs);
      if (this.#disposed || !memory.wanted) return fail("interrupted", "Sharing was switched off meanwhile.");
      const result = await this.#bringUp(() => {});
      if (result.ok) {
        this.#enter({ phase: "running", since: this.#now(), exit: this.#exitState(result.value) });
        this.#watch();
        return ok(undefined);
      }
      last = result.error;
      this.#logger.warn("recovery attempt failed", { attempt: index + 1, code: last.code, message: last.message });
    }
    await this.#clearAway();
    this.#enter({ phase: "failed", since: this.#now(), error: last });
    return { ok: false, error: last };
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(ms, () => this.#interrupt?.());
      this.#interrupt = () => {
        cancel();
        this.#interrupt = undefined;
        resolve();
      };
    });
  }

  async #tearDown(): Promise<Result<void>> {
    this.#enter({ phase: "stopping", since: this.#now() });
    const error = await this.#clearAway();
    if (error === undefined) {
      this.#enter({ phase: "stopped", since: this.#now() });
      return ok(undefined);
    }
    this.#enter({ phase: "failed", since: this.#now(), error });
    return { ok: false, error };
  }

  /** Takes everything of ours away; the error where something could not be. */
  async #clearAway(): Promise<HiggsError | undefined> {
    const { helper, dns, memory } = this.#options;
    this.#unwatch();
    this.#standing = undefined;
    await dns.stop();
    if (!memory.dirty) return undefined;
    // A helper that was never there has changed nothing, and restoring is no reason to raise a prompt again.
    const neverThere = this.#state.phase === "starting" && helper.connected === undefined;
    if (neverThere && !(await helper.findRunning()).ok) return undefined;
    const restored = await helper.call("restore", {});
    if (!restored.ok) {
      return {
        code: "restore-failed",
        message: `The network could not be put back: ${restored.error.message}`,
        hint: "Run: higgsnode restore-network",
      };
    }
    const [left] = restored.value.failed;
    if (left !== undefined) {
      return {
        code: "restore-failed",
        message: `Part of the network could not be put back: ${left}`,
        hint: "Run: higgsnode restore-network",
      };
    }
    memory.dirty = false;
    return undefined;
  }

  #lostHelper(): void {
    if (this.#disposed || this.#standing === undefined) return;
    void this.#inTurn(async () => {
      if (this.#standing === undefined || this.#options.helper.connected !== undefined) return;
      await this.#recover({ code: "helper-lost", message: "The privileged helper ended unexpectedly." });
    });
  }

  /** Sharing goes on, but something that matters is missing. */
  #degrade(problem: HiggsError): Result<void> {
    const standing = this.#standing;
    if (standing === undefined) return { ok: false, error: problem };
    const since = this.#state.phase === "degraded" ? this.#state.since : this.#now();
    this.#enter({ phase: "degraded", since, exit: this.#exitState(standing), problems: [problem] });
    return { ok: false, error: problem };
  }

  #settleInRunning(): void {
    const standing = this.#standing;
    if (standing === undefined) return;
    const since = this.#state.phase === "running" ? this.#state.since : this.#now();
    this.#enter({ phase: "running", since, exit: this.#exitState(standing) });
  }

  #watch(): void {
    const { clock } = this.#options;
    this.#unwatch();
    const askPeers = () => {
      this.#cancelPeers = clock.after(PEERS_EVERY_MS, () => {
        void this.#askPeers().then(() => {
          if (this.#cancelPeers !== undefined) askPeers();
        });
      });
    };
    const check = () => {
      this.#cancelCheck = clock.after(CHECK_EVERY_MS, () => {
        this.refresh();
        check();
      });
    };
    askPeers();
    check();
  }

  #unwatch(): void {
    this.#cancelPeers?.();
    this.#cancelCheck?.();
    this.#cancelPeers = undefined;
    this.#cancelCheck = undefined;
  }

  async #askPeers(): Promise<void> {
    const client = this.#options.helper.connected;
    const standing = this.#standing;
    if (client === undefined || standing === undefined) return;
    const seen = await client.call("observe-peers", {});
    // Whatever happened meanwhile has its own task.
    if (!seen.ok || this.#standing !== standing) return;
    if (seen.value.state !== "present") return this.refresh();
    this.#options.onPeers(seen.value);
    const { state } = this;
    if (state.phase !== "running" && state.phase !== "degraded") return;
    const exit = { ...state.exit, ...this.#countsOf(seen.value) };
    if (JSON.stringify(exit) !== JSON.stringify(state.exit)) this.#enter({ ...state, exit });
  }

  #countsOf(seen: Extract<ObservedWireguard, { state: "present" }>): Pick<ExitState, "clients" | "traffic"> {
    const nowMs = this.#options.clock.nowMs();
    const traffic = { rxBytes: 0, txBytes: 0 };
    let connected = 0;
    for (const peer of seen.peers) {
      traffic.rxBytes += peer.rxBytes;
      traffic.txBytes += peer.txBytes;
      if (peer.latestHandshakeAtMs !== null && nowMs - peer.latestHandshakeAtMs < CONNECTED_WITHIN_MS) connected++;
    }
    return { clients: { total: this.#standing?.plan.clientCount ?? seen.peers.length, connected }, traffic };
  }

  #exitState({ plan, applied }: Standing): ExitState {
    const before = exitOf(this.#state);
    return {
      interfaceName: plan.spec.wireguard.interfaceName,
      implementation: applied.implementation,
      listenPort: plan.spec.wireguard.listenPort,
      publicKey: applied.publicKey,
      guestPrefixes: { ipv4: plan.spec.guests.ipv4, ipv6: plan.spec.guests.ipv6 },
      uplink: plan.uplink,
      reach: plan.reach,
      ipv6: ipv6State(plan, applied),
      clients: { total: plan.clientCount, connected: before?.clients.connected ?? 0 },
      traffic: before?.traffic ?? { rxBytes: 0, txBytes: 0 },
    };
  }

  #enter(state: PhaseState): void {
    if (state.phase !== this.#state.phase) this.#logger.info("phase", { phase: state.phase, ...reasonOf(state) });
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }

  /** Tasks run one after the other; one that throws fails alone. */
  #inTurn(task: () => Promise<Result<void>>): Promise<Result<void>>;
  #inTurn(task: () => Promise<void>): Promise<void>;
  #inTurn<T>(task: () => Promise<T>): Promise<T | Result<void>> {
    const turn = this.#tasks.then(task).catch((thrown: unknown) => {
      this.#logger.error("a task failed", thrown instanceof Error ? thrown : new Error(String(thrown)));
      return { ok: false as const, error: errorOf(thrown) };
    });
    this.#tasks = turn;
    return turn;
  }

  #now(): string {
    return new Date(this.#options.clock.nowMs()).toISOString();
  }
}

function problemsOf(standing: Standing, spec: NetworkSpec, seen: NetworkObservation): HiggsError[] {
  return findProblems(spec, seen, standing.applied.ipv6.state === "failed");
}

/** Where guests ask: without the IPv6 address where the helper could not give the tunnel one. */
function answerAddresses({ plan, applied }: Standing): string[] {
  const { addresses } = plan.spec.wireguard;
  return applied.ipv6.state === "failed" ? addresses.filter((text) => !text.includes(":")) : addresses;
}

function ipv6State(plan: ExitPlan, applied: ApplyResult): Ipv6State {
  if (applied.ipv6.state === "failed") return { state: "failed", error: applied.ipv6.error };
  if (plan.ipv6Off !== undefined) return { state: "off", reason: plan.ipv6Off };
  return { state: "on", mode: "nat66" };
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
