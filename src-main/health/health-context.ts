/** What a fact is judged by: read by somebody else, and only looked at here. */
import type { HealthVerdict } from "../../src-shared/model/health-verdict.ts";
import type { PhaseState } from "../../src-shared/model/node-state.ts";
import type { PortMappingState } from "../../src-shared/model/port-mapping.ts";
import type { Reachability } from "../../src-shared/model/reachability.ts";
import type { RelayLinkState } from "../../src-shared/model/relay-link.ts";
import type { NodeLook } from "../node/node-surroundings.ts";
import type { ClockFinding } from "./clock-watch.ts";

export interface HealthContext {
  phase: PhaseState;
  /** What was last seen of the machine; undefined before the first look. */
  look: NodeLook | undefined;
  /** Whether a helper is connected now. */
  helperConnected: boolean;
  /** A route or address of this machine that overlaps the guests' network, as one sentence; undefined without one. */
  addressConflict: string | undefined;
  portMapping: PortMappingState;
  reachability: Reachability;
  relay: RelayLinkState;
  clock: ClockFinding;
  /** What came of it when it was last tried. */
  probes: Readonly<Record<ProbeName, HealthVerdict>>;
}

/**
 * What is tried for real: a question to the answerer that guests ask, connections to the internet that leave as a guest's do,
 * and whether there is room where the node keeps its data.
 */
export const PROBE_NAMES = ["dns", "egressIpv4", "egressIpv6", "disk"] as const;

export type ProbeName = (typeof PROBE_NAMES)[number];

/** May reject, which makes what it looks at unknown. */
export type Probe = () => Promise<HealthVerdict>;
