/** What a platform must be able to do; the server knows nothing of iptables, pf or netsh. */
import type { ApplyResult, NetworkChange, RestoreResult } from "../src-shared/helper/protocol.ts";
import type {
  Capabilities,
  FirewallInspection,
  NetworkObservation,
  ObservedWireguard,
} from "../src-shared/network-observation.ts";
import type { NetworkSpec } from "../src-shared/network-spec.ts";
import type { Result } from "../src-shared/result.ts";

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
  /** Undoes everything this and any earlier run did. */
  restore(): Promise<RestoreResult>;
  inspectFirewall(): Promise<FirewallInspection>;
  /** Calls back on changes until the returned function is called. */
  watch(listener: (kinds: NetworkChange["kinds"]) => void): () => void;
}
