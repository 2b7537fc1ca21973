/** The helper's verbs for the diagnosis: what only root can read or try. None of them changes what guests have. */
import { z } from "zod";
import { addressSchema } from "../net/address.ts";
import { portSchema } from "../net/endpoint.ts";
import { interfaceNameSchema } from "../network-spec.ts";

/** Rules of one family are some hundred bytes each; half a megabyte is thousands of them, and both fit one message. */
export const MAX_RULES_CHARACTERS = 512 * 1024;

/** A machine with more hooks of others than this is not a home computer. */
export const MAX_NFT_HOOKS = 64;

/** The root's view of one family's tables, as iptables-save(8) prints it; null where it could not be read or is too long. */
const rulesTextSchema = z.string().max(MAX_RULES_CHARACTERS).nullable();

/** A base chain of nftables that no iptables program shows. */
export const nftHookSchema = z.object({
  family: z.string(),
  table: z.string(),
  chain: z.string(),
  hook: z.string(),
  policy: z.string(),
  rules: z.int().nonnegative(),
  /** Whether it could refuse anything: by its policy, or by a rule that drops, rejects, jumps or asks a program. */
  mayRefuse: z.boolean(),
});

export const firewallTextSchema = z.object({
  ipv4: rulesTextSchema,
  ipv6: rulesTextSchema,
  nft: z.array(nftHookSchema).max(MAX_NFT_HOOKS),
});

export const routeLookupSchema = z.discriminatedUnion("state", [
  z.object({
    state: z.literal("found"),
    /** `local` where this machine itself is meant. */
    kind: z.string(),
    interfaceName: z.string().nullable(),
    gateway: z.string().nullable(),
  }),
  /** What the kernel says instead of a route. */
  z.object({ state: z.literal("none"), reason: z.string() }),
]);

export const pathMtuSchema = z.object({
  /** The largest packet that was answered, bytes with its IP header; null where nothing was. */
  mtu: z.int().nullable(),
  /** What a router, or this machine's own link, said is the most it takes; null where nobody said anything. */
  told: z.int().nullable(),
  /** The largest size that was tried. */
  tried: z.int(),
});

const timeoutMs = z.int().min(100).max(10_000);

/** One thing that the temporary guest is to try through its tunnel. */
export const guestQuestionSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("handshake"), timeoutMs }),
  z.strictObject({ kind: z.literal("tcp"), to: addressSchema, port: portSchema, timeoutMs }),
  z.strictObject({ kind: z.literal("udp"), to: addressSchema, port: portSchema, timeoutMs }),
  z.strictObject({ kind: z.literal("dns"), server: addressSchema, name: z.string().min(1).max(253), timeoutMs }),
  z.strictObject({ kind: z.literal("ping"), to: addressSchema }),
  z.strictObject({ kind: z.literal("path-mtu"), to: addressSchema }),
  z.strictObject({
    kind: z.literal("download"),
    to: addressSchema,
    port: portSchema,
    path: z.string().regex(/^\/[\w./?=&-]{0,200}$/),
    maxBytes: z
      .int()
      .min(1)
      .max(64 * 1024 * 1024),
    timeoutMs,
  }),
]);

export const guestAnswerSchema = z.object({
  /** `refused`: the other end, or a rule on the way, said no; `silence`: nobody said anything. */
  outcome: z.enum(["answered", "refused", "silence"]),
  /** What was seen, one short line. */
  detail: z.string().max(300),
  ms: z.number().nonnegative(),
  /** Of a download. */
  bytes: z.int().nonnegative().optional(),
  /** Of a path MTU. */
  pathMtu: pathMtuSchema.optional(),
});

const nothing = z.strictObject({});

export const diagnosticVerbs = {
  /** Rules of everybody, as they stand. */
  "read-firewall": { params: nothing, result: firewallTextSchema },
  /** Where the kernel would send a packet; with `interfaceName` one that came in there. */
  "look-up-route": {
    params: z.strictObject({
      to: addressSchema,
      from: addressSchema.optional(),
      interfaceName: interfaceNameSchema.optional(),
    }),
    result: routeLookupSchema,
  },
  /** The largest packet that reaches an address whole. Waits for other machines, a second or so. */
  "path-mtu": { params: z.strictObject({ to: addressSchema }), result: pathMtuSchema },
  /**
   * Makes the one temporary guest there can be, in a network namespace of its own. It is removed when asked, when the
   * connection that asked for it ends, after two minutes, and by every restore.
   */
  "open-test-guest": {
    params: z.strictObject({ addresses: z.array(addressSchema).min(1).max(2) }),
    result: z.object({ publicKey: z.string(), implementation: z.enum(["kernel", "userspace"]) }),
  },
  "ask-test-guest": { params: z.strictObject({ question: guestQuestionSchema }), result: guestAnswerSchema },
  /** `left` names what could not be removed. */
  "close-test-guest": { params: nothing, result: z.object({ left: z.array(z.string()) }) },
} as const;

export type DiagnosticVerb = keyof typeof diagnosticVerbs;
export type NftHook = z.infer<typeof nftHookSchema>;
export type FirewallText = z.infer<typeof firewallTextSchema>;
export type RouteLookup = z.infer<typeof routeLookupSchema>;
export type PathMtu = z.infer<typeof pathMtuSchema>;
export type GuestQuestion = z.infer<typeof guestQuestionSchema>;
export type GuestAnswer = z.infer<typeof guestAnswerSchema>;
