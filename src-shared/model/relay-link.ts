/**
 * The node's connection to a relay, which carries guests where no router lets them in.
 *
 *   off ──sharing, a server is set──▶ connecting ──▶ connected
 *                                        ▲ │            │ lost
 *                                        │ ▼            │
 *                                       waiting ◀───────┘
 */
import { z } from "zod";
import { endpointSchema } from "../net/endpoint.ts";
import { type HiggsError, higgsErrorSchema } from "../result.ts";
import { timestampSchema } from "./client.ts";
import type { HealthVerdict } from "./health-verdict.ts";

const count = z.number().int().nonnegative();

export const relayLinkSchema = z.discriminatedUnion("state", [
  z.object({ state: z.literal("off") }),
  z.object({
    state: z.literal("connecting"),
    /** How the last attempt or connection ended; absent in the first attempt, and when the relay asked us to move. */
    error: higgsErrorSchema.optional(),
  }),
  z.object({
    state: z.literal("connected"),
    since: timestampSchema,
    url: z.string(),
    /** Round trip to the relay; null until the first answer to a ping. */
    rttMs: z.number().nonnegative().nullable(),
    /** Where guests send their datagrams. */
    publicEndpoint: endpointSchema,
    /** The node's name at the relay, which `higgsnode connect` asks for. */
    nodeId: z.string(),
    /** Guests the relay holds open, some of them perhaps silent. */
    sessions: count,
    /** Payload since sharing began; rx = from guests. */
    rxBytes: count,
    txBytes: count,
    /** Datagrams given up at this end since sharing began, because a queue was full or nobody was there. */
    dropped: count,
  }),
  z.object({ state: z.literal("waiting"), error: higgsErrorSchema, retryAt: timestampSchema }),
]);

export type RelayLinkState = z.infer<typeof relayLinkSchema>;

const LOOK_AT_RELAY = "Check this computer's internet connection and the relay's address in the settings.";

/** The connection to the relay as a fact. One that is tried again after a failure stays bad until it stands. */
export function healthOfRelay(state: RelayLinkState): HealthVerdict {
  switch (state.state) {
    case "off":
      return { state: "off" };
    case "connected":
      return { state: "good" };
    case "connecting":
      return state.error === undefined ? { state: "unknown" } : bad(state.error);
    case "waiting":
      return bad(state.error);
  }
}

function bad(error: HiggsError): HealthVerdict {
  return { state: "bad", error: { ...error, hint: error.hint ?? LOOK_AT_RELAY } };
}
