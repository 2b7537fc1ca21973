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
