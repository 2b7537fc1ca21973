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
import { higgsErrorSchema } from "../result.ts";
import { timestampSchema } from "./client.ts";

const count = z.number().int().nonnegative();

export const relayLinkSchema = z.discriminatedUnion("state", [
  z.object({ state: z.literal("off") }),
  z.object({ state: z.literal("connecting") }),
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
