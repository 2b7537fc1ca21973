/**
 * What the node does with the exit, one thing after the other: applies it through the helper, opens the name service on it, looks
 * whether it really stands, and takes it away. When each is to be done is the state machine's business.
 */
import { isDeepStrictEqual } from "node:util";
import type { StartStep } from "../../src-shared/model/node-state.ts";
import type { NetworkObservation, ObservedWireguard } from "../../src-shared/network-observation.ts";
import { type HiggsError, ok, type Result } from "../../src-shared/result.ts";
import { findProblems } from "./compare-network.ts";
import type { ExitPlan } from "./exit-planner.ts";
import { aimOf, answerAddresses, type Standing } from "./exit-state.ts";
import type { NodeLook, NodeServiceOptions } from "./node-surroundings.ts";
import { INTERRUPTED, type StopSignal } from "./stop-signal.ts";

/** Where the DNS answerer listens: unprivileged, and rarely used by others. The next ones are tried. */
export const FIRST_DNS_PORT = 20_053;
export const DNS_PORTS_TRIED = 8;

export interface ExitWorksOptions extends NodeServiceOptions {
  stopping: StopSignal;
  /** Called as soon as the way to an exit has come to the next step. */
  onStep: (step: StartStep) => void;
  /** Called after each look at the machine. */
  onLook: () => void;
}

export class ExitWorks {
  readonly #options: ExitWorksOptions;
  #standing: Standing | undefined;
  #step: StartStep = "helper";
  /** What the last attempt aimed at; undefined where it did not come so far. */
  #aim: unknown;
  #look: NodeLook | undefined;

  constructor(options: ExitWorksOptions) {
    this.#options = options;
  }

  /** What is applied, as far as this side knows. */
  get standing(): Standing | undefined {
    return this.#standing;
  }

  /** How far the last attempt to bring the exit up has come. */
  get step(): StartStep {
    return this.#step;
  }

  /** What the last look at the machine has found. */
  get look(): NodeLook | undefined {
    return this.#look;
  }

  plan(observation: NetworkObservation): Result<ExitPlan> {
    return this.#options.plan(observation, this.#standing?.dnsPort ?? FIRST_DNS_PORT);
  }

  /** Whether the last attempt to bring the exit up aimed at what `plan` wants. */
  hasAimedAt(plan: Result<ExitPlan>): boolean {
    return isDeepStrictEqual(aimOf(plan), this.#aim);
  }

  /** From nothing, or from what is left of an earlier attempt, to a verified exit. */
  async bringUp(): Promise<Result<Standing>> {
    const { helper, dns } = this.#options;
    this.#aim = undefined;
    this.#reach("helper");
    // A person may be reading a prompt.
    const connected = await this.#options.stopping.unlessWanted(helper.ensure());
    if (!connected.ok) return connected;
    this.#reach("inspect");
    const subscribed = await helper.call("subscribe", { topics: this.#options.topics?.() ?? ["network-change"] });
    if (!subscribed.ok) return subscribed;
    const seen = await this.observe();
    if (!seen.ok) return seen;
    const firstPort = this.#standing?.dnsPort ?? FIRST_DNS_PORT;
    for (let dnsPort = firstPort; ; dnsPort++) {
      if (this.#options.stopping.wanted) return INTERRUPTED;
      const plan = this.#options.plan(seen.value, dnsPort);
      this.#aim = aimOf(plan);
      if (!plan.ok) {
        this.#seen({ observation: seen.value, problems: [plan.error] });
        return plan;
      }
      this.#reach("apply");
      const standing = await this.apply(plan.value, dnsPort);
      if (!standing.ok) return standing;
      this.#reach("dns");
      const answering = await dns.start(answerAddresses(standing.value), dnsPort);
      if (answering.ok) return this.#verify(standing.value);
      const last = dnsPort - firstPort + 1 >= DNS_PORTS_TRIED;
      if (answering.error.code !== "dns-port-taken" || last) return answering;
    }
  }

  async apply(plan: ExitPlan, dnsPort: number): Promise<Result<Standing>> {
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
    const seen = await this.observe();
    if (!seen.ok) return seen;
    const [problem] = this.compare(standing, seen.value);
    return problem === undefined ? ok(standing) : { ok: false, error: problem };
  }

  /** What differs from what was applied, behind what keeps it from being planned. */
  compare(standing: Standing, observation: NetworkObservation, refusals: readonly HiggsError[] = []): HiggsError[] {
    const problems = [...refusals, ...findProblems(standing.plan.spec, observation, standing.applied)];
    this.#seen({ observation, problems });
    return problems;
  }

  /** What stands serves another plan with the same spec. */
  replan(standing: Standing, plan: ExitPlan): Standing {
    this.#standing = { ...standing, plan };
    return this.#standing;
  }

  /** What stood is of no interest any more, nor what was seen of it. */
  forget(): void {
    this.#standing = undefined;
    this.#look = undefined;
  }

  /** Ends everything on this side of the helper. */
  async letGo(): Promise<undefined> {
    this.#standing = undefined;
    await this.#options.dns.stop();
  }

  /** Takes everything of ours away; the error where something could not be. */
  async clearAway(): Promise<HiggsError | undefined> {
    const { helper, memory, onPeers } = this.#options;
    await this.readPeers();
    await this.letGo();
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

  /** Every observation passes here, so that no traffic is counted wrongly. */
  async observe(): Promise<Result<NetworkObservation>> {
    const seen = await this.#options.helper.call("observe", {});
    if (seen.ok) this.#options.onPeers(seen.value.wireguard);
    else this.#seen({ observation: null, problems: [seen.error] });
    return seen;
  }

  /** What the interface counts at present; undefined where there is nobody to ask, or what stood was replaced. */
  async readPeers(): Promise<ObservedWireguard | undefined> {
    const standing = this.#standing;
    const connection = this.#options.helper.connected;
    if (standing === undefined || connection === undefined) return undefined;
    const seen = await connection.call("observe-peers", {});
    // Whatever happened meanwhile has its own task.
    if (!seen.ok || this.#standing !== standing) return undefined;
    this.#options.onPeers(seen.value);
    return seen.value;
  }

  #reach(step: StartStep): void {
    this.#step = step;
    this.#options.onStep(step);
  }

  #seen(look: NodeLook): void {
    this.#look = look;
    this.#options.onLook();
  }
}
