/** Whether the internet answers to a connection that leaves as a guest's does: from the node's own tunnel address. */
import type { Clock } from "../../src-shared/clock.ts";
import type { HealthVerdict } from "../../src-shared/model/health-verdict.ts";
import { egressTargetsOf } from "../routing/egress-targets.ts";
import { firstToAnswer } from "../routing/reach-target.ts";

/** The other side of the world answers in a third of a second, a satellite in one. */
const ANSWERS_WITHIN_MS = 3_000;

/** All are tried at once; more would tell nothing new. */
const MAX_TARGETS = 4;

export interface EgressQuestion {
  family: 4 | 6;
  /** The node's tunnel address of that family. */
  from: string;
  /** `address:port`, both families mixed, as the settings have them. */
  targets: readonly string[];
  clock: Clock;
}

/** One that answers is enough. `off` where no target of the family is set. Never rejects. */
export async function probeEgress({ family, from, targets, clock }: EgressQuestion): Promise<HealthVerdict> {
  const endpoints = egressTargetsOf(targets, family).slice(0, MAX_TARGETS);
  if (endpoints.length === 0) return { state: "off" };
  const answered = await firstToAnswer(endpoints, { from, withinMs: ANSWERS_WITHIN_MS, clock });
  if (answered !== undefined) return { state: "good" };
  return {
    state: "bad",
    error: {
      code: `egress${family === 6 ? "6" : ""}-no-answer`,
      message: `Nobody on the internet answers to the guests' IPv${family} connections.`,
      hint:
        family === 4
          ? "Look whether this computer itself can open a website; if not, restart the router or ask your provider."
          : "Guests use IPv4 meanwhile. Ask your provider whether IPv6 works.",
    },
  };
}
