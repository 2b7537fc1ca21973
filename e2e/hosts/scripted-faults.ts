/** What goes wrong with a node, and how it is repaired, in the sentences that a real node says. */
import type { NodeState } from "../../src-shared/model/node-state.ts";
import type { HiggsError } from "../../src-shared/result.ts";
import { aFact, aHealth, anExit, STOPPED, sharing } from "./scripted-states.ts";
import { ago, ahead } from "./scripted-values.ts";

export const ROUTES_GONE: HiggsError = {
  code: "spec-drift",
  message: "There is no default route.",
  hint: "Connect this computer to the internet.",
};

/** The router went away: the node says so, and tries by itself. */
export function degraded(): NodeState {
  const cause = aFact("networkRoute", { state: "bad", since: ago(40), error: ROUTES_GONE });
  const symptom = aFact("egressIpv4", {
    state: "bad",
    since: ago(35),
    silencedBy: "networkRoute",
    error: {
      code: "egress-failed",
      message: "Nobody on the internet answers to the guests' IPv4 connections.",
      hint: "Look whether this computer itself can open a website; if not, restart the router or ask your provider.",
    },
  });
  return {
    ...sharing(),
    node: { phase: "degraded", since: ago(40), exit: anExit(), problems: [ROUTES_GONE] },
    health: aHealth("bad", [cause, symptom]),
  };
}

export function recovering(attempt: number): NodeState {
  const state = degraded();
  return {
    ...state,
    node: { phase: "recovering", since: ago(40), cause: ROUTES_GONE, attempt, exit: anExit() },
    health: {
      ...state.health,
      recovery: { state: "running", cause: "networkRoute", step: "apply", attempt, since: ago(12) },
    },
  };
}

/** Between two attempts. */
export function waitingToRecover(attempt: number): NodeState {
  const state = degraded();
  const recovery = { state: "waiting", cause: "networkRoute", attempt, since: ago(30), nextAt: ahead(25) } as const;
  return { ...state, health: { ...state.health, recovery } };
}

export const HELPER_REFUSED: HiggsError = {
  code: "helper-refused",
  message: "Permission to change the network was not given.",
  hint: "Switch sharing on again and confirm the prompt.",
};

export const NO_NETWORK: HiggsError = {
  code: "no-uplink",
  message: "There is no uplink.",
  hint: "Connect this computer to the internet.",
};

export function failed(error: HiggsError): NodeState {
  return { ...STOPPED, node: { phase: "failed", since: ago(3), error } };
}
