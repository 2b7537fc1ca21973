/** The part of a node's state that says how it is reached, as long as nobody has looked. */
import { HEALTH_NOT_LOOKED } from "../model/health.ts";
import type { NodeState } from "../model/node-state.ts";

const reason = { code: "not-sharing", message: "The node does not share at present." };

export const NOT_LOOKED: Pick<NodeState, "reachability" | "natPath" | "health"> = {
  health: HEALTH_NOT_LOOKED,
  reachability: { state: "unknown", reason },
  natPath: { state: "unknown", reason },
};
