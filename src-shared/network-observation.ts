/**
 * What the kernel really has, as one value, read by the helper. Health is the comparison of this
 * with the spec; nothing in here is remembered, everything is read.
 */
import { z } from "zod";
import { higgsErrorSchema } from "./result.ts";

/** Milliseconds since the epoch; 0 stands for never where a field says so. */
const timeMs = z.number().int().nonnegative();

export const observedPeerSchema = z.object({
  publicKey: z.string(),
  /** `host:port` the peer was last heard from. */
  endpoint: z.string().nullable(),
  allowedIps: z.array(z.string()),
  /** Milliseconds since the epoch, null before the first handshake. */
  latestHandshakeAtMs: timeMs.nullable(),
  /** Bytes received from and sent to the peer since the interface came up. */
  rxBytes: z.number().int().nonnegative(),
  txBytes: z.number().int().nonnegative(),
});

export const observedWireguardSchema = z.discriminatedUnion("state", [
  z.object({ state: z.literal("absent") }),
  /** A link of our name that is no WireGuard interface, or one whose userspace process is gone. */
  z.object({ state: z.literal("broken"), reason: z.string() }),
  z.object({
    state: z.literal("present"),
    implementation: z.enum(["kernel", "userspace"]),
    up: z.boolean(),
    mtu: z.number().int(),
    addresses: z.array(z.string()),
    listenPort: z.number().int(),
    publicKey: z.string(),
    peers: z.array(observedPeerSchema),
  }),
]);

/** Our chains of one family, compared with what the last applied spec asks for. */
export const observedFirewallSchema = z.discriminatedUnion("state", [
  z.object({ state: z.literal("absent") }),
  z.object({ state: z.literal("matches") }),
  z.object({ state: z.literal("differs"), differences: z.array(z.string()) }),
  z.object({ state: z.literal("unavailable"), reason: z.string() }),
]);

/** Traffic control on our interfaces, compared with what the last applied spec asks for. */
export const observedLimitsSchema = z.discriminatedUnion("state", [
  z.object({ state: z.literal("absent") }),
  z.object({ state: z.literal("matches") }),
  z.object({ state: z.literal("differs"), differences: z.array(z.string()) }),
  z.object({ state: z.literal("unavailable"), reason: z.string() }),
]);

/** Queue below each limit: `fq_codel` keeps a guest's connections apart and short of delay, the others less so. */
export const leafKindSchema = z.enum(["fq_codel", "sfq", "pfifo"]);

/** What passed one client's class since it was made, by direction. */
const classCountersSchema = z.object({
  bytes: z.number().int().nonnegative(),
  packets: z.number().int().nonnegative(),
  dropped: z.number().int().nonnegative(),
  /** Waiting at this moment. */
  backlogBytes: z.number().int().nonnegative(),
});

export const observedLimitSchema = z.object({
  atMs: timeMs,
  /** Null where the client has no class in that direction. */
  down: classCountersSchema.nullable(),
  up: classCountersSchema.nullable(),
});

export const observedLinkSchema = z.object({
  name: z.string(),
  up: z.boolean(),
  /** `ip -d link` kind (veth, wireguard, tun, bridge, …), null for hardware. */
  kind: z.string().nullable(),
  mtu: z.number().int(),
  addresses: z.array(z.string()),
});

export const observedRouteSchema = z.object({
  family: z.union([z.literal(4), z.literal(6)]),
  /** A prefix, or `default`. */
  destination: z.string(),
  gateway: z.string().nullable(),
  interfaceName: z.string().nullable(),
  metric: z.number().int(),
  /** `link` for what is reached without a gateway. */
  onLink: z.boolean(),
});

export const networkObservationSchema = z.object({
  atMs: timeMs,
  /** Whether a spec is applied at present, and the hash by which the applier knows it again. */
  applied: z.object({ specHash: z.string() }).nullable(),
  wireguard: observedWireguardSchema,
  forwarding: z.object({
    /** Interfaces of the spec (ours and the uplinks) with their state; empty when nothing is applied. */
    ipv4: z.record(z.string(), z.boolean()),
    ipv6: z.boolean().nullable(),
  }),
  firewall: z.object({ ipv4: observedFirewallSchema, ipv6: observedFirewallSchema }),
  /** Absent where the platform has no limits. */
  limits: observedLimitsSchema.optional(),
  links: z.array(observedLinkSchema),
  routes: z.array(observedRouteSchema),
  /** Global IPv6 prefixes that were delegated to this machine (RFC 8415), as the routes that bar what is not in use tell. */
  heldPrefixes: z.array(z.string()).optional(),
});

export type ObservedPeer = z.infer<typeof observedPeerSchema>;
export type ObservedWireguard = z.infer<typeof observedWireguardSchema>;
export type ObservedFirewall = z.infer<typeof observedFirewallSchema>;
export type ObservedLink = z.infer<typeof observedLinkSchema>;
export type ObservedRoute = z.infer<typeof observedRouteSchema>;
export type ObservedLimits = z.infer<typeof observedLimitsSchema>;
export type ObservedLimit = z.infer<typeof observedLimitSchema>;
export type ClassCounters = z.infer<typeof classCountersSchema>;
export type LeafKind = z.infer<typeof leafKindSchema>;
export type NetworkObservation = z.infer<typeof networkObservationSchema>;

/** What the machine can do, asked once per helper. */
export const capabilitiesSchema = z.object({
  platform: z.string(),
  kernelRelease: z.string(),
  programs: z.record(z.string(), z.object({ path: z.string(), version: z.string().nullable() }).nullable()),
  wireguard: z.enum(["kernel", "userspace", "none"]),
  nat: z.object({ ipv4: z.boolean(), ipv6: z.boolean() }),
  ipv6: z.boolean(),
  tunDevice: z.boolean(),
  /** Absent from a helper of a platform that has no limits. */
  limits: z
    .discriminatedUnion("state", [
      z.object({ state: z.literal("supported"), leaf: leafKindSchema }),
      z.object({ state: z.literal("unsupported"), error: higgsErrorSchema }),
    ])
    .optional(),
});

export type Capabilities = z.infer<typeof capabilitiesSchema>;

/** Somebody else's rules that may matter to guests. */
export const firewallInspectionSchema = z.object({
  owners: z.array(
    z.object({
      name: z.string(),
      evidence: z.string(),
    }),
  ),
  policies: z.record(z.string(), z.string()),
  /** Rules of others that refuse forwarded or incoming traffic before ours are asked. */
  obstacles: z.array(z.object({ family: z.union([z.literal(4), z.literal(6)]), rule: z.string(), effect: z.string() })),
  unreadable: z.array(higgsErrorSchema),
});

export type FirewallInspection = z.infer<typeof firewallInspectionSchema>;
