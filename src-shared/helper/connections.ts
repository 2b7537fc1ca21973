/** Guests' connections as the helper tells of them, once each, when they have ended. */
import { z } from "zod";
import { parseAddress } from "../net/address.ts";
import { higgsErrorSchema } from "../result.ts";

/** A message of this many is some 60 kB: far below the cap of a message, and few enough to write in one go. */
export const MAX_CONNECTIONS_PER_EVENT = 256;

const count = z.number().int().nonnegative();

const addressText = z
  .string()
  .max(45)
  .refine((text) => parseAddress(text) !== undefined, "not an address");

/** What conntrack(8) counted in one direction; null where the kernel does not count. */
const amountSchema = z.object({ bytes: count, packets: count }).nullable();

export const endedConnectionSchema = z.object({
  /** `tcp`, `udp`, …, as conntrack(8) names it, or the number of the protocol. */
  protocol: z.string().regex(/^[a-z0-9-]{1,16}$/),
  /** The guest, and whom it spoke to, before any translation. */
  source: addressText,
  destination: addressText,
  /** Null for protocols without ports. */
  destinationPort: z.number().int().min(0).max(65535).nullable(),
  /** From the guest, and to it. */
  sent: amountSchema,
  received: amountSchema,
  /** Milliseconds since the epoch. */
  endedAtMs: count,
  /** How long connection tracking held it; null where the kernel keeps no times. */
  durationSeconds: count.nullable(),
});

export const connectionSourceSchema = z.discriminatedUnion("state", [
  z.object({ state: z.literal("off") }),
  z.object({ state: z.literal("on") }),
  z.object({ state: z.literal("unavailable"), error: higgsErrorSchema }),
]);

export const connectionsEventSchema = z.object({
  topic: z.literal("connections"),
  source: connectionSourceSchema,
  /** Events that the kernel has dropped since the last message. */
  dropped: count,
  ended: z.array(endedConnectionSchema).max(MAX_CONNECTIONS_PER_EVENT),
});

export type EndedConnection = z.infer<typeof endedConnectionSchema>;
export type ConnectionSource = z.infer<typeof connectionSourceSchema>;
export type ConnectionsEvent = z.infer<typeof connectionsEventSchema>;
