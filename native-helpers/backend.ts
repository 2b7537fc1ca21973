/** What a platform must be able to do; the server knows nothing of iptables, pf or netsh. */
import type { ConnectionsEvent } from "../src-shared/helper/connections.ts";
import type { ApplyResult, NetworkChange, RestoreResult, TracedHop } from "../src-shared/helper/protocol.ts";
import type {
  Capabilities,
  FirewallInspection,
  NetworkObservation,
  ObservedLimit,
  ObservedWireguard,
} from "../src-shared/network-observation.ts";
import type { NetworkSpec } from "../src-shared/network-spec.ts";
import type { Result } from "../src-shared/result.ts";
import type { DiagnosticBackend } from "./diagnostics.ts";

/** Who is told of guests' connections. */
export interface ConnectionListener {
  onEvent(event: ConnectionsEvent): void;
  /** True while more waits to be read than should: nothing new is read from the kernel until it is false. */
  isBehind(): boolean;
}

export interface NetworkBackend {
  /** Whether anything of ours is, or may be, on this machine. */
  ownsNetwork(): boolean;
  capabilities(): Promise<Capabilities>;
  /**
   * Makes the kernel match the spec. A spec that is refused beforehand changes nothing; after a failure
   * on the way nothing of ours is left.
   */
  apply(spec: NetworkSpec): Promise<Result<ApplyResult>>;
  observe(): Promise<NetworkObservation>;
  /** The interface and its peers alone: what is asked every few seconds. */
  observePeers(): Promise<ObservedWireguard>;
  /** What passed one client's traffic classes. */
  observeLimit(classId: number): Promise<ObservedLimit>;
  /** Who the first hops on the way to an address are; absent on a platform that cannot tell. */
  trace?(question: { to: string; maxHops: number }): Promise<TracedHop[]>;
  /** Sends every guest that was heard of a first packet, from which it learns the way here; absent where that cannot be had. */
  greet?(): Promise<void>;
  /** Undoes everything this and any earlier run did. */
  restore(): Promise<RestoreResult>;
  inspectFirewall(): Promise<FirewallInspection>;
  /** Calls back on changes until the returned function is called. */
  watch(listener: (kinds: NetworkChange["kinds"]) => void): () => void;
  /**
   * Tells of guests' connections that have ended, while a spec is applied that asks for their accounting, until the
   * returned function is called.
   */
  watchConnections(listener: ConnectionListener): () => void;
  /** What the diagnosis asks for; absent on a platform that cannot tell. */
  readonly diagnostics?: DiagnosticBackend;
}
