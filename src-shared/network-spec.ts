/**
 * The desired state: everything this node wants of the machine's network, as one value.
 * Every service contributes to it, the helper alone makes the kernel match it.
 *
 * The schema is also the privileged helper's first line of defence: it accepts this and nothing else,
 * so whoever owns the unprivileged side can at worst ask for another exit node, never for a change
 * to an interface, chain or sysctl that is not ours.
 */
import { z } from "zod";
import { type LimitsSpec, limitsProblems, limitsSpecSchema } from "./limits-spec.ts";
import {
  containsAddress,
  containsPrefix,
  formatAddress,
  interfaceAddressSchema,
  type Prefix,
  parseAddress,
  parsePrefix,
  prefixSchema,
  splitPrefix,
} from "./net/address.ts";
import { endpointSchema, portSchema } from "./net/endpoint.ts";
import { isGlobalUnicast } from "./net/global-unicast.ts";
import { PRIVATE_IPV4, UNIQUE_LOCAL_IPV6 } from "./net/special-prefixes.ts";
import { wireguardKeySchema } from "./net/wireguard-key.ts";

/** More peers than a home node can ever serve; bounds what the helper allocates for one message. */
export const MAX_PEERS = 4096;

/** Our own interfaces only: `higgs0` to `higgs99`. */
export const ownInterfaceSchema = z
  .string()
  .regex(/^higgs[0-9]{1,2}$/, "an interface of this node is named higgs0 to higgs99");

/**
 * Name of somebody else's interface, as far as we ever have to write it: IFNAMSIZ is 16 with the
 * terminating zero, and the name becomes part of a path below /proc/sys.
 */
export const interfaceNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,14}$/, "not an interface name")
  // Below /proc/sys/net/ipv4/conf these two stand for every interface of the machine (ip-sysctl).
  .refine((name) => name !== "all" && name !== "default", "all and default are no interfaces");

export const peerSchema = z.strictObject({
  publicKey: wireguardKeySchema,
  presharedKey: wireguardKeySchema.optional(),
  /** Host prefixes only (/32, /128), inside the guest prefixes. */
  allowedIps: z.array(prefixSchema).max(8),
  /** An address: a name would make root's `wg` ask a resolver and wait for it. */
  endpoint: endpointSchema.refine(({ host }) => parseAddress(host) !== undefined, "must be an address").optional(),
  persistentKeepaliveSeconds: z.int().min(0).max(65535).optional(),
});

const wireguardSchema = z.strictObject({
  interfaceName: ownInterfaceSchema,
  listenPort: portSchema,
  /** 1280 is the least IPv6 allows, 1420 is what fits a 1500 byte path over IPv6. */
  mtu: z.int().min(1280).max(1500),
  /** The node's own addresses in the guest network, with the guest prefix length. */
  addresses: z.array(interfaceAddressSchema).min(1).max(2),
  peers: z.array(peerSchema).max(MAX_PEERS),
});

const exitSchema = z.strictObject({
  /** Interfaces on which answers to guests come back: forwarding is switched on there. */
  uplinks: z.array(interfaceNameSchema).max(16),
  ipv4: z.enum(["masquerade", "off"]),
  /**
   * `nat66` translates the guests' unique local addresses to the uplink's, `nptv6` to those of `ipv6Prefix` with the same
   * host part; `routed` lets guests out with the global addresses they have.
   */
  ipv6: z.enum(["nat66", "nptv6", "routed", "off"]),
  /** For `nptv6` alone: a global prefix that is routed to this machine, as long as the guests' own. */
  ipv6Prefix: prefixSchema.optional(),
});

const allowedDestinationSchema = z.strictObject({
  destination: prefixSchema,
  protocol: z.enum(["tcp", "udp"]).optional(),
  port: portSchema.optional(),
});

const isolationSchema = z.strictObject({
  /** Destinations guests are refused, beside the node's own services. */
  blockedDestinations: z.array(prefixSchema).max(256),
  /** What the owner lets guests reach all the same; looked at before the blocked ones. */
  allowedDestinations: z.array(allowedDestinationSchema).max(64),
  /** Ports refused everywhere, such as TCP 25. */
  blockedPorts: z.array(z.strictObject({ protocol: z.enum(["tcp", "udp"]), port: portSchema })).max(64),
});

export const networkSpecSchema = z
  .strictObject({
    version: z.literal(1),
    wireguard: wireguardSchema,
    guests: z.strictObject({ ipv4: prefixSchema, ipv6: prefixSchema.nullable() }),
    exit: exitSchema,
    isolation: isolationSchema,
    /** Guests ask port 53 of the node's tunnel address; the answerer itself listens on `port` there. */
    dns: z.strictObject({ port: z.int().min(1024).max(65535) }).nullable(),
    /** Absent where nobody is limited. */
    limits: limitsSpecSchema.optional(),
    /** Connection tracking counts bytes and keeps times, and guests' connections are told of; absent where nobody wants to know. */
    accounting: z.strictObject({ connections: z.literal(true) }).optional(),
  })
  .superRefine((spec, context) => {
    for (const problem of problemsOf(spec)) {
      context.addIssue({ code: "custom", path: problem.path, message: problem.message });
    }
  });

export type NetworkSpec = z.infer<typeof networkSpecSchema>;
export type WireguardSpec = NetworkSpec["wireguard"];
export type PeerSpec = z.infer<typeof peerSchema>;
export type IsolationSpec = NetworkSpec["isolation"];

/** Guest prefix lengths: room for at least two guests, and no more than a home node can need. */
const GUEST_IPV4_LENGTH = { shortest: 16, longest: 30 } as const;
const GUEST_IPV6_LENGTH = { shortest: 64, longest: 120 } as const;

/** Whether a prefix may be given to guests at all: private, or global IPv6, and of a sensible length. */
export function isUsableGuestPrefix(candidate: Prefix): boolean {
  const lengths = candidate.family === 4 ? GUEST_IPV4_LENGTH : GUEST_IPV6_LENGTH;
  const space = candidate.family === 4 ? PRIVATE_IPV4 : [UNIQUE_LOCAL_IPV6];
  return (
    candidate.length >= lengths.shortest &&
    candidate.length <= lengths.longest &&
    (space.some((outer) => containsPrefix(outer, candidate)) || isGlobalUnicast(candidate))
  );
}

interface Problem {
  path: (string | number)[];
  message: string;
}

type Unchecked =
  z.infer<typeof wireguardSchema> extends infer W
    ? {
        wireguard: W;
        guests: { ipv4: string; ipv6: string | null };
        exit: z.infer<typeof exitSchema>;
        limits?: LimitsSpec | undefined;
      }
    : never;

/** What the shape alone cannot say: how the parts of a spec must fit together. */
function* problemsOf(spec: Unchecked): Generator<Problem> {
  const ipv4 = parsePrefix(spec.guests.ipv4);
  const ipv6 = spec.guests.ipv6 === null ? undefined : parsePrefix(spec.guests.ipv6);
  if (ipv4 === undefined || ipv4.family !== 4 || !isUsableGuestPrefix(ipv4)) {
    yield { path: ["guests", "ipv4"], message: "must be a private IPv4 prefix of length 16 to 30" };
    return;
  }
  if (spec.guests.ipv6 !== null && (ipv6 === undefined || ipv6.family !== 6 || !isUsableGuestPrefix(ipv6))) {
    yield { path: ["guests", "ipv6"], message: "must be a unique local or global IPv6 prefix of length 64 to 120" };
    return;
  }
  if (ipv6 === undefined && spec.exit.ipv6 !== "off") {
    yield { path: ["exit", "ipv6"], message: "needs an IPv6 guest prefix" };
  }
  yield* ipv6ExitProblems(spec.exit, ipv6);
  const guests = ipv6 === undefined ? [ipv4] : [ipv4, ipv6];
  yield* addressProblems(spec.wireguard.addresses, guests);
  yield* peerProblems(spec.wireguard.peers, spec.wireguard.addresses, guests);
  for (const { path, message } of spec.limits === undefined ? [] : limitsProblems(spec.limits, guests)) {
    yield { path: ["limits", ...path], message };
  }
}

/** Unique local addresses never leave untranslated, global ones never leave translated. */
function* ipv6ExitProblems(exit: Unchecked["exit"], guests: Prefix | undefined): Generator<Problem> {
  const outside = exit.ipv6Prefix === undefined ? undefined : parsePrefix(exit.ipv6Prefix);
  if ((exit.ipv6 === "nptv6") !== (outside !== undefined)) {
    yield { path: ["exit", "ipv6Prefix"], message: "belongs to nptv6, and nptv6 to it" };
  }
  if (guests === undefined || exit.ipv6 === "off") return;
  if (isGlobalUnicast(guests) !== (exit.ipv6 === "routed")) {
    yield { path: ["exit", "ipv6"], message: "global guest prefixes are routed, unique local ones are translated" };
  }
  if (outside !== undefined && (!isGlobalUnicast(outside) || outside.length !== guests.length)) {
    yield { path: ["exit", "ipv6Prefix"], message: "must be a global IPv6 prefix as long as the guests' own" };
  }
}

function* addressProblems(addresses: readonly string[], guests: readonly Prefix[]): Generator<Problem> {
  for (const guest of guests) {
    const own = addresses.filter((text) => {
      const parts = splitPrefix(text);
      return parts !== undefined && parts.length === guest.length && containsAddress(guest, parts.address);
    });
    if (own.length !== 1) {
      yield {
        path: ["wireguard", "addresses"],
        message: `must hold exactly one address of the guest prefix ${formatAddress(guest)}/${guest.length}`,
      };
    }
  }
  if (addresses.length !== guests.length) {
    yield { path: ["wireguard", "addresses"], message: "must hold one address per guest prefix" };
  }
}

/** The address of an interface address in canonical form; unchanged where it is none. */
function addressText(text: string): string {
  const parts = splitPrefix(text);
  return parts === undefined ? text : formatAddress(parts.address);
}

function* peerProblems(
  peers: readonly PeerSpec[],
  ownAddresses: readonly string[],
  guests: readonly Prefix[],
): Generator<Problem> {
  const keys = new Set<string>();
  const taken = new Set(ownAddresses.map(addressText));
  for (const [index, peer] of peers.entries()) {
    const path = ["wireguard", "peers", index];
    if (keys.has(peer.publicKey)) yield { path, message: "the same public key twice" };
    keys.add(peer.publicKey);
    for (const text of peer.allowedIps) {
      const allowed = parsePrefix(text);
      // No prefix at all: the field's own schema has said so, but these checks still run.
      if (allowed === undefined) continue;
      const isHost = allowed.length === (allowed.family === 4 ? 32 : 128);
      if (!isHost || !guests.some((guest) => containsPrefix(guest, allowed))) {
        yield { path, message: `${text} is not a single address of the guest network` };
      }
      const address = formatAddress(allowed);
      if (taken.has(address)) yield { path, message: `${address} is given out twice` };
      taken.add(address);
    }
  }
}
