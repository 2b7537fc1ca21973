/**
 * Whether the home router forwards a port to this node.
 *
 *   off ──sharing──▶ probing ──granted──▶ mapped
 *    ▲                 ▲ │                  │ lost, and not granted again
 *    │                 │ ▼                  ▼
 *    └──not sharing──  unavailable ◀────────┘   probed again at `nextProbeAt`
 */
import { z } from "zod";
import { parseAddress } from "../net/address.ts";
import { endpointSchema, portSchema } from "../net/endpoint.ts";
import { isPublicAddress } from "../net/public-address.ts";
import { higgsErrorSchema } from "../result.ts";
import { timestampSchema } from "./client.ts";

/** The protocols in the order in which they are preferred: RFC 6887, RFC 6886, UPnP Internet Gateway Device. */
export const MAPPING_PROTOCOLS = ["pcp", "nat-pmp", "upnp"] as const;

export const mappingProtocolSchema = z.enum(MAPPING_PROTOCOLS);

export const portMappingStateSchema = z.discriminatedUnion("state", [
  /** Not asked for: sharing is off, or the owner switched port mapping off. */
  z.object({ state: z.literal("off") }),
  z.object({ state: z.literal("probing"), since: timestampSchema, gateway: z.string() }),
  z.object({
    state: z.literal("mapped"),
    since: timestampSchema,
    protocol: mappingProtocolSchema,
    /** The router that granted it. */
    gateway: z.string(),
    /** Where the internet reaches the port; a private host says that another router stands in front of this one. */
    external: endpointSchema,
    internalPort: portSchema,
    /** Null for a mapping that stays until somebody deletes it. */
    leaseEndsAt: timestampSchema.nullable(),
    renewAt: timestampSchema,
    /** Other protocols that this router answers, in the order in which they would be tried. */
    fallbacks: z.array(mappingProtocolSchema),
  }),
  z.object({
    state: z.literal("unavailable"),
    since: timestampSchema,
    /** Why, and what the owner can do about it. */
    reason: higgsErrorSchema,
    /** Null where only another network can change it. */
    nextProbeAt: timestampSchema.nullable(),
  }),
]);

export type MappingProtocol = z.infer<typeof mappingProtocolSchema>;
export type PortMappingState = z.infer<typeof portMappingStateSchema>;

/** Where guests reach the node through the router's mapping; undefined without one, or with a private address. */
export function mappedEndpoint(state: PortMappingState) {
  if (state.state !== "mapped") return undefined;
  const address = parseAddress(state.external.host);
  return address !== undefined && isPublicAddress(address) ? state.external : undefined;
}
