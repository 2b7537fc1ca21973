/**
 * Whether guests reach this node without the relay, as somebody out in the internet has tried. A port mapping that was
 * granted is no proof: only a packet that arrived is.
 *
 *   unknown ──sharing, a relay is there──▶ checking ──answered──▶ reachable
 *      ▲                                      │                     ▲ │
 *      │                                      └──silence──▶ unreachable
 *      └── not sharing, no relay ── any             tried again every ten minutes, and after every change
 */
import { z } from "zod";
import { endpointSchema } from "../net/endpoint.ts";
import { higgsErrorSchema } from "../result.ts";
import { timestampSchema } from "./client.ts";
import type { HealthVerdict } from "./health-verdict.ts";
import { natAdviceSchema } from "./nat-path.ts";

export const reachabilitySchema = z.discriminatedUnion("state", [
  /** Nobody could be asked, which says nothing about the node. */
  z.object({ state: z.literal("unknown"), reason: higgsErrorSchema }),
  z.object({ state: z.literal("checking"), since: timestampSchema }),
  z.object({
    state: z.literal("reachable"),
    /** Where a handshake from outside was answered. */
    endpoint: endpointSchema,
    since: timestampSchema,
    provenAt: timestampSchema,
    /** From the handshake's first packet to the answer, as the relay measured it. */
    ms: z.number().nonnegative(),
  }),
  z.object({
    state: z.literal("unreachable"),
    /** Where it was tried in vain. */
    endpoint: endpointSchema,
    since: timestampSchema,
    checkedAt: timestampSchema,
    reason: higgsErrorSchema,
    advice: z.array(natAdviceSchema),
  }),
]);

export type Reachability = z.infer<typeof reachabilitySchema>;

/** Reasons for which nobody was to be asked, as opposed to those for which nobody could. */
const NOT_ASKED_FOR: ReadonlySet<string> = new Set(["not-sharing", "no-relay"]);
const LOOK_AT_ROUTER = "Forward the port to this computer by hand in your router's settings, or set up a relay.";

/** Whether guests reach the node without the relay, as a fact. What could not be tried is unknown, never bad. */
export function healthOfReachability(state: Reachability): HealthVerdict {
  switch (state.state) {
    case "unknown":
      return { state: NOT_ASKED_FOR.has(state.reason.code) ? "off" : "unknown" };
    case "checking":
      return { state: "unknown" };
    case "reachable":
      return { state: "good" };
    case "unreachable": {
      const hint = state.reason.hint ?? state.advice[0]?.text ?? LOOK_AT_ROUTER;
      return { state: "bad", error: { ...state.reason, hint } };
    }
  }
}
