/**
 * The few verbs the privileged helper accepts: newline-delimited JSON over its Unix socket.
 * A connection says `hello` first; whoever does not is closed.
 */
import { z } from "zod";
import { addressSchema } from "../net/address.ts";
import {
  capabilitiesSchema,
  firewallInspectionSchema,
  leafKindSchema,
  networkObservationSchema,
  observedLimitSchema,
  observedWireguardSchema,
} from "../network-observation.ts";
import { networkSpecSchema } from "../network-spec.ts";
import { higgsErrorSchema } from "../result.ts";
import { connectionsEventSchema } from "./connections.ts";
import { diagnosticVerbs } from "./diagnostics.ts";

/** Raised on every change that an older other side would misread. */
export const HELPER_PROTOCOL_VERSION = 1;

/** A spec with 4,096 peers is about 1 MiB; more than this is no message of ours. */
export const MAX_HELPER_MESSAGE_BYTES = 2 * 1024 * 1024;

/** What a socket may send before its hello is accepted. */
export const MAX_HELLO_BYTES = 1024;

const nothing = z.strictObject({});

export const applyResultSchema = z.object({
  /** False when the kernel already matched and nothing was touched. */
  changed: z.boolean(),
  publicKey: z.string(),
  implementation: z.enum(["kernel", "userspace"]),
  specHash: z.string(),
  /** IPv6 may fail without taking IPv4 with it. */
  ipv6: z.discriminatedUnion("state", [
    z.object({ state: z.literal("on") }),
    z.object({ state: z.literal("off") }),
    z.object({ state: z.literal("failed"), error: higgsErrorSchema }),
  ]),
  /** Limits may fail without taking sharing with them; absent where the spec wants none. */
  limits: z
    .discriminatedUnion("state", [
      z.object({ state: z.literal("on"), leaf: leafKindSchema }),
      z.object({ state: z.literal("failed"), error: higgsErrorSchema }),
    ])
    .optional(),
});

export const restoreResultSchema = z.object({
  /** One line per thing that was undone; empty when nothing was left of any run. */
  undone: z.array(z.string()),
  /** What could not be undone, with the reason. */
  failed: z.array(z.string()),
});

/** Hops further out are no business of a home network's. */
const MAX_TRACED_HOPS = 4;

export const tracedHopSchema = z.object({
  /** Who answered; null where nobody did. */
  address: z.string().nullable(),
});

/** Verb → shapes. Both sides and the tests derive from this one value. */
export const helperVerbs = {
  hello: {
    params: z.strictObject({ protocol: z.int(), token: z.string().max(256) }),
    result: z.object({
      protocol: z.int(),
      version: z.string(),
      pid: z.int(),
      /** True while a spec is applied, or an earlier run's traces are in the journal. */
      ownsNetwork: z.boolean(),
    }),
  },
  capabilities: { params: nothing, result: capabilitiesSchema },
  apply: { params: z.strictObject({ spec: networkSpecSchema }), result: applyResultSchema },
  observe: { params: nothing, result: networkObservationSchema },
  /** The interface and its peers alone, cheap enough to ask every few seconds. */
  "observe-peers": { params: nothing, result: observedWireguardSchema },
  /** The counters of one client's traffic classes: what `limit test` measures with. */
  "observe-limit": { params: z.strictObject({ classId: z.int().min(0).max(0xffff) }), result: observedLimitSchema },
  /** Who the first hops on the way to an address are. Changes nothing, and waits for nothing else. */
  trace: {
    params: z.strictObject({ to: addressSchema, maxHops: z.int().min(1).max(MAX_TRACED_HOPS) }),
    result: z.array(tracedHopSchema).max(MAX_TRACED_HOPS),
  },
  /** Has the node speak first to every guest it has heard of: what they know of the way to it may be out of date. */
  greet: { params: nothing, result: nothing },
  restore: { params: nothing, result: restoreResultSchema },
  "inspect-firewall": { params: nothing, result: firewallInspectionSchema },
  subscribe: {
    params: z.strictObject({ topics: z.array(z.enum(["network-change", "connections"])).max(8) }),
    result: nothing,
  },
  ...diagnosticVerbs,
} as const;

export type HelperVerb = keyof typeof helperVerbs;
export type HelperParams<V extends HelperVerb> = z.input<(typeof helperVerbs)[V]["params"]>;
export type HelperResult<V extends HelperVerb> = z.infer<(typeof helperVerbs)[V]["result"]>;
export type ApplyResult = z.infer<typeof applyResultSchema>;
export type TracedHop = z.infer<typeof tracedHopSchema>;
export type RestoreResult = z.infer<typeof restoreResultSchema>;

export const helperRequestSchema = z.strictObject({
  id: z.int().nonnegative(),
  verb: z.string().max(64),
  params: z.unknown(),
});

export const networkChangeSchema = z.object({
  topic: z.literal("network-change"),
  /**
   * What kinds of change were seen since the last event: links, addresses, routes, routing rules, whether packets are
   * forwarded, and rules of ours, or beside ours, in the firewall.
   */
  kinds: z.array(z.enum(["link", "address", "route", "rule", "forwarding", "firewall"])),
});

export type NetworkChange = z.infer<typeof networkChangeSchema>;

/** What the helper sends: answers by id, and events. */
export const helperMessageSchema = z.union([
  z.object({ id: z.int(), ok: z.literal(true), result: z.unknown() }),
  z.object({ id: z.int().nullable(), ok: z.literal(false), error: higgsErrorSchema }),
  z.object({ event: z.discriminatedUnion("topic", [networkChangeSchema, connectionsEventSchema]) }),
]);

export type HelperMessage = z.infer<typeof helperMessageSchema>;

/** File names inside the helper's runtime directory. */
export const HELPER_SOCKET_NAME = "helper.sock";
export const HELPER_TOKEN_NAME = "helper.token";
