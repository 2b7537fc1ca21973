/** Whether the home router lets guests in over IPv6, where it filters and does not translate. */
import { z } from "zod";
import { endpointSchema } from "../net/endpoint.ts";
import { higgsErrorSchema } from "../result.ts";
import { timestampSchema } from "./client.ts";

export const pinholeSchema = z.discriminatedUnion("state", [
  /** Not asked for: sharing or port mapping is off, or this computer has no global IPv6 address behind a router. */
  z.object({ state: z.literal("off") }),
  z.object({ state: z.literal("asking") }),
  z.object({
    state: z.literal("open"),
    /** PCP, or UPnP's WANIPv6FirewallControl:1 where the router does not speak it. */
    protocol: z.enum(["pcp", "upnp"]),
    /** Where guests with IPv6 reach the node, beside its IPv4 endpoint. */
    endpoint: endpointSchema,
    gateway: z.string(),
    leaseEndsAt: timestampSchema,
  }),
  z.object({ state: z.literal("closed"), reason: higgsErrorSchema }),
]);

export type Pinhole = z.infer<typeof pinholeSchema>;
