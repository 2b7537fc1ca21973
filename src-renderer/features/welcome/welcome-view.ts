/** How far the welcome has come, as a pure function of what is known. */
import { exitOf, type NodeState } from "../../../src-shared/model/node-state.ts";
import { type GuestWay, guestWay } from "../../../src-shared/text/headline.ts";
import type { Tone } from "../../components/tone.tsx";

export const STEPS = ["permission", "reach", "client"] as const;
export type Step = (typeof STEPS)[number];

export interface ReachView {
  /** `off`: cannot be tried; `waiting`: the outcome is not there yet. */
  readonly outcome: GuestWay | "off" | "waiting";
  readonly tone: Tone;
}

const REACH_TONES: Readonly<Record<ReachView["outcome"], Tone>> = {
  off: "off",
  waiting: "busy",
  direct: "good",
  unproven: "unknown",
  relay: "info",
  none: "attention",
};

export function reachOf(node: NodeState | undefined): ReachView {
  const outcome = outcomeOf(node);
  return { outcome, tone: REACH_TONES[outcome] };
}

function outcomeOf(node: NodeState | undefined): ReachView["outcome"] {
  const exit = node === undefined ? undefined : exitOf(node.node);
  if (node === undefined || exit === undefined) return "off";
  const stillTrying =
    node.reachability.state === "checking" || node.portMapping.state === "probing" || node.relay.state === "connecting";
  if (stillTrying && node.reachability.state !== "reachable") return "waiting";
  return guestWay(node, exit);
}

/** Which steps are behind the owner. What nobody has tried is not done. */
export function doneSteps(node: NodeState | undefined, clients: number): ReadonlySet<Step> {
  const done = new Set<Step>();
  const { outcome } = reachOf(node);
  if (outcome !== "off") done.add("permission");
  if (outcome === "direct" || outcome === "relay") done.add("reach");
  if (clients > 0) done.add("client");
  return done;
}
