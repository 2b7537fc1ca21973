/**
 * What the node is doing, as a union: each phase carries only what is known in it.
 *
 *   stopped ──on──▶ starting ──▶ running ◀──▶ degraded
 *      ▲               │           │  ▲           │
 *      │               ▼           ▼  └─recovering┘
 *      └──off── stopping ◀── any   failed ──on──▶ starting
 */
import { z } from "zod";
import { endpointSchema, portSchema } from "../net/endpoint.ts";
import { higgsErrorSchema } from "../result.ts";
import { timestampSchema } from "./client.ts";
import { healthSchema } from "./health.ts";
import { natPathSchema } from "./nat-path.ts";
import { pinholeSchema } from "./pinhole.ts";
import { portMappingStateSchema } from "./port-mapping.ts";
import { reachabilitySchema } from "./reachability.ts";
import { relayLinkSchema } from "./relay-link.ts";

/** IPv6 for guests: unknown is its own value, off and failed are told apart and have a reason. */
export const ipv6StateSchema = z.discriminatedUnion("state", [
  z.object({
    state: z.literal("on"),
    mode: z.enum(["nat66", "nptv6", "routed"]),
    /** Why this mode. */
    reason: z.string().optional(),
    /** The global prefix guests are seen under; absent where they share the uplink's address. */
    prefix: z.string().optional(),
    /** Whether somebody out there answered to an address of the guests'; absent as long as nobody was asked. */
    check: z
      .discriminatedUnion("outcome", [
        z.object({ outcome: z.literal("passed"), at: timestampSchema }),
        z.object({ outcome: z.literal("failed"), at: timestampSchema, error: higgsErrorSchema }),
      ])
      .optional(),
  }),
  z.object({ state: z.literal("off"), reason: higgsErrorSchema }),
  z.object({ state: z.literal("failed"), error: higgsErrorSchema }),
]);

/** How guests reach the node. */
export const reachSchema = z.object({
  endpoint: endpointSchema.nullable(),
  /** The same over IPv6, where this machine has a global address; absent or null where it has none. */
  ipv6: endpointSchema.nullable().optional(),
  /**
   * Where the endpoint comes from: the owner, a handshake from outside that was answered there, the router's mapping, or
   * an address of this machine's uplink.
   */
  source: z.enum(["owner", "proven", "mapping", "uplink", "none"]),
});

export const exitStateSchema = z.object({
  interfaceName: z.string(),
  implementation: z.enum(["kernel", "userspace"]),
  listenPort: portSchema,
  publicKey: z.string(),
  guestPrefixes: z.object({ ipv4: z.string(), ipv6: z.string().nullable() }),
  uplink: z.object({ ipv4: z.string().nullable(), ipv6: z.string().nullable() }),
  reach: reachSchema,
  ipv6: ipv6StateSchema,
  clients: z.object({ total: z.number().int(), connected: z.number().int() }),
  /** Bytes through the tunnel since sharing began; rx = received from guests. */
  traffic: z.object({ rxBytes: z.number().int(), txBytes: z.number().int() }),
});

export const startStepSchema = z.enum(["helper", "inspect", "apply", "dns", "verify"]);

const since = timestampSchema;

export const phaseStateSchema = z.discriminatedUnion("phase", [
  z.object({ phase: z.literal("stopped"), since }),
  z.object({ phase: z.literal("starting"), since, step: startStepSchema }),
  z.object({ phase: z.literal("running"), since, exit: exitStateSchema }),
  z.object({ phase: z.literal("degraded"), since, exit: exitStateSchema, problems: z.array(higgsErrorSchema).min(1) }),
  z.object({
    phase: z.literal("recovering"),
    since,
    cause: higgsErrorSchema,
    attempt: z.number().int().positive(),
    exit: exitStateSchema,
  }),
  z.object({ phase: z.literal("stopping"), since }),
  z.object({ phase: z.literal("failed"), since, error: higgsErrorSchema }),
]);

export const nodeStateSchema = z.object({
  version: z.string(),
  node: phaseStateSchema,
  relay: relayLinkSchema,
  portMapping: portMappingStateSchema,
  /** Whether guests reach the node without the relay, as tried from outside. */
  reachability: reachabilitySchema,
  /** The same over IPv6; absent where this computer has no global address. */
  reachabilityIpv6: reachabilitySchema.optional(),
  /** What stands between this computer and the internet. */
  natPath: natPathSchema,
  /** Whether the router lets guests in over IPv6; absent from a node that does not ask. */
  pinhole: pinholeSchema.optional(),
  health: healthSchema,
});

export type Ipv6State = z.infer<typeof ipv6StateSchema>;
export type Reach = z.infer<typeof reachSchema>;
export type ExitState = z.infer<typeof exitStateSchema>;
export type StartStep = z.infer<typeof startStepSchema>;
export type PhaseState = z.infer<typeof phaseStateSchema>;
export type Phase = PhaseState["phase"];
export type NodeState = z.infer<typeof nodeStateSchema>;

/** The exit's facts in the phases that have them. */
export function exitOf(state: PhaseState): ExitState | undefined {
  switch (state.phase) {
    case "running":
    case "degraded":
    case "recovering":
      return state.exit;
    case "stopped":
    case "starting":
    case "stopping":
    case "failed":
      return undefined;
  }
}
