/** What the node's state machine needs of the world around it. */
import type { Clock } from "../../src-shared/clock.ts";
import type { ApplyResult, HelperParams, HelperResult, HelperVerb } from "../../src-shared/helper/protocol.ts";
import type { NetworkObservation, ObservedWireguard } from "../../src-shared/network-observation.ts";
import type { HiggsError, Result } from "../../src-shared/result.ts";
import type { Logger } from "../logs/logger.ts";
import type { ExitPlan } from "./exit-planner.ts";
import type { RecoveryLine } from "./recovery-ladder.ts";

/** The link to the helper; `HelperLink` is one. */
export interface NodeHelper {
  /** The connection that stands; another object after each reconnection. */
  readonly connected: Pick<NodeHelper, "call"> | undefined;
  /** Whether a person is asked for permission when one has to be started. */
  readonly prompts: boolean;
  ensure(): Promise<Result<unknown>>;
  /** Ends the connection, and the helper at its other end where that can be done; `ensure` then makes new ones. */
  restart(): void;
  call<V extends HelperVerb>(verb: V, params: HelperParams<V>): Promise<Result<HelperResult<V>>>;
  onLost(listener: () => void): () => void;
  onNetworkChange(listener: () => void): () => void;
}

/** Answers guests' DNS questions; `DnsAnswerer` is one. */
export interface NodeDns {
  /** @param addresses with the length of the guest prefix; listens there in place of where it listened before */
  start(addresses: readonly string[], port: number): Promise<Result<void>>;
  stop(): Promise<void>;
}

/** What one look at the machine has found. */
export interface NodeLook {
  /** Null where the helper did not tell. */
  observation: NetworkObservation | null;
  /** What differs from what was applied, and why no plan can be made. */
  problems: readonly HiggsError[];
}

export interface NodeServiceOptions {
  helper: NodeHelper;
  dns: NodeDns;
  clock: Clock;
  logger: Logger;
  /** What the spec should be, seen from settings, clients and the machine as it is. */
  plan: (observation: NetworkObservation, dnsPort: number) => Result<ExitPlan>;
  /** What keeps an exit that stands from serving guests, beside the problems of its plan. */
  concerns: (plan: ExitPlan) => HiggsError[];
  /** Names of the interfaces that are up and connected, read without the helper. */
  interfacesUp: () => ReadonlySet<string>;
  /** What a recovery did, and how that went. */
  onRecovery: (line: RecoveryLine) => void;
  /** What the helper is asked to tell of; changes of the network in any case. */
  topics?: () => HelperParams<"subscribe">["topics"];
  onApplied: (applied: ApplyResult) => void;
  /** Takes the peers' counters of every observation, in order; `absent` once the interface was removed. */
  onPeers: (seen: ObservedWireguard) => void;
  /** Remembers over a restart whether sharing is wanted, and whether the network may hold traces of ours. */
  memory: {
    wanted: boolean;
    dirty: boolean;
  };
}
