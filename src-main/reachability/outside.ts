/** What a relay out in the internet tells of this node, and does for it. */
import type { Endpoint } from "../../src-shared/net/endpoint.ts";
import { PROBE_VISITS_FEATURE, type ProbeResult, type Registered } from "../../src-shared/relay/control.ts";
import type { Result } from "../../src-shared/result.ts";
import type { ProbeQuestion } from "./probe-exchange.ts";

export interface OutsideView {
  /** The relay's address, by which one relay is told from another. */
  readonly relay: string;
  /** The address this node's connection to the relay comes from; null where the relay does not tell. */
  readonly seen: string | null;
  /** The peer to add before asking for a probe; null for a relay that does not probe. */
  readonly probeKey: string | null;
  /** Where the relay answers STUN; null where it does not. */
  readonly stun: Endpoint | null;
  /** Whether it also tries other addresses of this node, over connections that come from there. */
  readonly probesElsewhere?: boolean;
}

export interface Outside {
  /** Undefined while no relay is connected. */
  readonly view: OutsideView | undefined;
  /** Errors: `probe-timeout`, `relay-not-connected`. */
  probe(question: ProbeQuestion): Promise<Result<ProbeResult>>;
  /**
   * The same at another address of this machine, which a short connection to the same relay comes from. Errors beside
   * those: `behind-proxy`, `relay-cannot-probe`, and what keeps the relay from being reached over that family.
   */
  probeFrom(address: string, question: ProbeQuestion): Promise<Result<ProbeResult>>;
}

/** What a relay said when it took the node; older relays say less. @param relay its name */
export function viewOf(relay: string, { seen, probeKey, stun, features }: Registered): OutsideView {
  const probesElsewhere = features.includes(PROBE_VISITS_FEATURE);
  return { relay, seen: seen ?? null, probeKey: probeKey ?? null, stun: stun ?? null, probesElsewhere };
}
