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
import { type HiggsError, higgsErrorSchema } from "../result.ts";
import { timestampSchema } from "./client.ts";
import type { HealthVerdict } from "./health-verdict.ts";

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

const BY_HAND = "Forward the port to this computer by hand in your router's settings, or set up a relay.";
const NO_PUBLIC_ADDRESS: HiggsError = {
  code: "no-public-address",
  message: "Your router forwards the port, but has no public address of its own: another one stands in front of it.",
  hint: "Put the router in front into bridge mode, or ask your provider for a public address.",
};

/**
 * The mapping as a fact of its own; whether guests reach the node all the same is another's. A router that does not tell its
 * address is believed, one that tells a private address forwards from nowhere.
 */
export function healthOfPortMapping(state: PortMappingState): HealthVerdict {
  switch (state.state) {
    case "off":
      return { state: "off" };
    case "probing":
      return { state: "unknown" };
    case "mapped": {
      const address = parseAddress(state.external.host);
      const isPrivate = address !== undefined && address.value !== 0n && !isPublicAddress(address);
      return isPrivate ? { state: "bad", error: NO_PUBLIC_ADDRESS } : { state: "good" };
    }
    case "unavailable":
      return { state: "bad", error: { ...state.reason, hint: state.reason.hint ?? BY_HAND } };
  }
}
