/** A node over a fake helper, with a plan that a test changes as it likes. */
import type { Phase, PhaseState } from "../../../src-shared/model/node-state.ts";
import type { NetworkObservation, ObservedWireguard } from "../../../src-shared/network-observation.ts";
import { fail, type HiggsError, ok, type Result } from "../../../src-shared/result.ts";
import { FakeClock } from "../../../src-shared/testing/fake-clock.ts";
import { sampleIpv4Spec, samplePeer, sampleSpec } from "../../../src-shared/testing/sample-spec.ts";
import { recordingLog } from "../../logs/testing/recording-log.ts";
import type { ExitPlan } from "../exit-planner.ts";
import { NodeService } from "../node-service.ts";
import type { RecoveryLine } from "../recovery-ladder.ts";
import { FakeHelper } from "./fake-helper.ts";

export class NodeRig {
  readonly clock = new FakeClock();
  readonly helper = new FakeHelper();
  readonly memory = { wanted: false, dirty: false };
  readonly #log = recordingLog(this.clock);
  readonly logged = this.#log.records;
  readonly states: PhaseState[] = [];
  readonly seenPeers: ObservedWireguard[] = [];
  /** What the plan asks for. */
  clients = 1;
  listenPort = 51820;
  ipv6 = true;
  problems: HiggsError[] = [];
  planFails: unknown;
  concerns: HiggsError[] = [];
  /** What a recovery did, in order. */
  readonly recoveries: RecoveryLine[] = [];
  onRecovery: (line: RecoveryLine) => void = () => {};
  /** Where the answerer listens, undefined while it does not. */
  answeringAt: { addresses: readonly string[]; port: number } | undefined;
  readonly dnsErrors: string[] = [];
  readonly node: NodeService;

  constructor() {
    this.node = new NodeService({
      helper: this.helper,
      clock: this.clock,
      logger: this.#log.logger,
      memory: this.memory,
      plan: (observation, dnsPort) => this.#plan(observation, dnsPort),
      dns: { start: (addresses, port) => this.#answer(addresses, port), stop: async () => this.#silence() },
      onApplied: () => {},
      concerns: () => this.concerns,
      interfacesUp: () => new Set(this.helper.applied === undefined || this.helper.interfaceGone ? [] : ["higgs0"]),
      onRecovery: (line) => {
        this.recoveries.push(line);
        this.onRecovery(line);
      },
      onPeers: (seen) => void this.seenPeers.push(seen),
    });
    this.node.onChange((state) => void this.states.push(state));
  }

  /** Phases in order, each once while it lasts. */
  get phases(): Phase[] {
    return this.states.map(({ phase }) => phase).filter((phase, index, all) => phase !== all[index - 1]);
  }

  get unexpected(): string[] {
    return this.logged.filter(({ level }) => level === "error").map(({ message }) => message);
  }

  /** The state as the phase that the test expects it to be. */
  in<P extends Phase>(phase: P): Extract<PhaseState, { phase: P }> {
    const { state } = this.node;
    if (state.phase !== phase) throw new Error(`the node is ${state.phase}, not ${phase}`);
    return state as Extract<PhaseState, { phase: P }>;
  }

  #plan(observation: NetworkObservation, dnsPort: number): Result<ExitPlan> {
    if (this.planFails !== undefined) throw this.planFails;
    if (observation.routes.length === 0) return fail("no-uplink", "There is no way to the internet.");
    const spec = this.ipv6 ? sampleSpec() : sampleIpv4Spec();
    spec.wireguard.peers = Array.from({ length: this.clients }, (_, index) => samplePeer(index, { ipv6: this.ipv6 }));
    spec.wireguard.listenPort = this.listenPort;
    return ok({
      spec: { ...spec, dns: { port: dnsPort } },
      tunnelAddresses: ["10.66.0.1", "fd00:1:2:3::1"],
      uplink: { ipv4: "eth0", ipv6: "eth0" },
      reach: { endpoint: null, source: "none" },
      clientCount: this.clients,
      ipv6Off: undefined,
      route: { local: null, gateway: null },
      surroundings: { kind: "no-router" },
      problems: this.problems,
    });
  }

  async #answer(addresses: readonly string[], port: number): Promise<Result<void>> {
    this.answeringAt = undefined;
    const code = this.dnsErrors.shift();
    if (code !== undefined) return fail(code, "The answerer failed as told.");
    this.answeringAt = { addresses, port };
    return ok(undefined);
  }

  #silence(): void {
    this.answeringAt = undefined;
  }
}

/** Lets everything that waits for nothing but promises come to its end. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
