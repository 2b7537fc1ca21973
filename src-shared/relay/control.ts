/**
 * Control messages of `higgs-relay.v1`: JSON documents in text frames, validated on arrival by the schema of
 * their direction. A message this version does not know is refused, it is never skipped in silence.
 *
 *   node  → server   hello            guest → server   connect
 *   node  ← server   challenge        guest ← server   connected
 *   node  → server   auth
 *   node  ← server   registered, or observed where the node came for a probe alone
 *   node  → server   probe            node ← server   probe-result, once for each
 *   node  ← server   session-seal     node → server   restore, after a restart of the server
 *   node  ← server   session-open, drain        both ways: session-close, ping, pong, error
 */
import { z } from "zod";
import { addressSchema } from "../net/address.ts";
import { hostSchema, portSchema } from "../net/endpoint.ts";
import { wireguardKeySchema } from "../net/wireguard-key.ts";
import { describeZodError, fail, ok, type Result } from "../result.ts";
import { DEFLATED_CONTROL_TYPE, MAX_SESSION_ID, MESSAGE_HEADER_BYTES, RELAY_PROTOCOL } from "./frame.ts";

/** Longest control message as a text frame, in UTF-8 bytes: the whole handshake fits many times over. */
export const MAX_CONTROL_BYTES = 16 * 1024;
/** Below this, deflating a control message costs more than it saves. */
const DEFLATE_FROM_BYTES = 1024;
/** Cap on what one deflated message may become: the list of every session id a node can have, with room. */
export const MAX_INFLATED_BYTES = 512 * 1024;

/** Sessions in one `restore`: as many as fit a control message, each with the longest seal. */
export const MAX_RESTORED_AT_ONCE = 100;
/** In `features` of a server that seals addresses. */
export const SEALS_FEATURE = "seals";
/** In `features` of a server that takes further connections of a node for probes alone, over another address of the node's. */
export const PROBE_VISITS_FEATURE = "probe-visits";

/** Close codes beside those of RFC 6455, section 7.4: 4000 to 4999 are for private use. */
export const CLOSE_CODE = {
  /** RFC 6455: malformed frame or message. */
  protocolError: 1002,
  /** RFC 6455: too many control messages, or a message at the wrong time. */
  policy: 1008,
  tooBig: 1009,
  /** IANA registry: service restart; the peer connects elsewhere or again. */
  restart: 1012,
  /** The same node connected again; the older connection goes. */
  replaced: 4001,
  unauthorised: 4003,
  unknownNode: 4004,
  /** Handshake or heartbeat did not come in time. */
  timeout: 4008,
  /** A limit of this server is reached. */
  busy: 4013,
} as const;

/** 32 bytes in base64url without padding; the last character carries four bits. */
const base64Url32 = z.string().regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/, "not 32 bytes in base64url");
/** 64 bytes in base64url without padding; the last character carries two bits. */
const base64Url64 = z.string().regex(/^[A-Za-z0-9_-]{85}[AQgw]$/, "not 64 bytes in base64url");

/** A node is known by its raw Ed25519 public key (RFC 8032). */
export const nodeIdSchema = base64Url32;
export const nonceSchema = base64Url32;
export const sessionIdSchema = z.int().min(0).max(MAX_SESSION_ID);
/** A guest's address as only the server can read it. */
export const sessionSealSchema = z.string().regex(/^[A-Za-z0-9_-]{1,120}$/, "not a seal");

const protocol = z.literal(RELAY_PROTOCOL);
const reason = z.string().max(64);
const durationMs = z.int().nonnegative();

const ping = z.strictObject({ type: z.literal("ping"), id: z.int().nonnegative() });
const pong = z.strictObject({ type: z.literal("pong"), id: z.int().nonnegative() });
const sessionClose = z.strictObject({ type: z.literal("session-close"), session: sessionIdSchema, reason });
/** The last message before the sender closes. */
const error = z.strictObject({
  type: z.literal("error"),
  code: z.string().max(64),
  message: z.string().max(512),
  hint: z.string().max(512).optional(),
});

const hello = z.strictObject({
  type: z.literal("hello"),
  protocol,
  node: nodeIdSchema,
  /** Fresh for every connection: the signature covers it, so neither side alone decides what is signed. */
  nonce: nonceSchema,
  /** Program and version, for the operator's eyes. */
  agent: z.string().max(64).optional(),
  /** `resume` of the last `registered`: asks for its sessions back. */
  resume: z.string().max(64).optional(),
  /** Comes to be probed at the address this connection comes from, and goes again; a registration elsewhere stays. */
  purpose: z.literal("probe").optional(),
});

const challenge = z.strictObject({
  type: z.literal("challenge"),
  /** The name the server goes by. A node refuses any other than the host it dialled. */
  server: z.string().min(1).max(253),
  nonce: nonceSchema,
});

/** Ed25519 over `authTranscript`. */
const auth = z.strictObject({ type: z.literal("auth"), signature: base64Url64 });

const registered = z.strictObject({
  type: z.literal("registered"),
  /** Where guests send their datagrams. */
  udp: z.strictObject({ host: hostSchema, port: portSchema }),
  resume: z.string().max(64),
  /** True when the sessions below go on; false when the node has to forget all it had. */
  resumed: z.boolean(),
  sessions: z.array(sessionIdSchema).max(MAX_SESSION_ID + 1),
  /** How long sessions outlive a lost connection. */
  graceMs: durationMs,
  /** Each side sends something at least this often, and gives up after three times as long. */
  heartbeatMs: durationMs.min(100),
  /** Names of what this server can do beside relaying; none is needed to relay. */
  features: z.array(z.string().max(32)).max(32),
  /** The address the node's connection comes from, as this server sees it; the only one it probes. */
  seen: addressSchema.optional(),
  /** What a node adds as a peer without allowed IPs before it asks for a probe. Absent from a server that has none. */
  probeKey: wireguardKeySchema.optional(),
  /** Where this server answers STUN binding requests (RFC 8489). */
  stun: z.strictObject({ host: hostSchema, port: portSchema }).optional(),
});

/** In the place of `registered` for a node that came for a probe alone. */
const observed = z.strictObject({
  type: z.literal("observed"),
  /** The address this connection comes from; the only one that is probed for it. */
  seen: addressSchema,
  probeKey: wireguardKeySchema,
});

/** Asks for a handshake initiation from outside, to this port of the address the connection comes from. */
const probe = z.strictObject({
  type: z.literal("probe"),
  /** Names the question in the answer. */
  id: z.int().nonnegative(),
  /** The node's WireGuard public key. */
  publicKey: wireguardKeySchema,
  port: portSchema,
});

const probeOutcomeSchema = z.discriminatedUnion("outcome", [
  /** The holder of the key answered; `ms` from the initiation to its answer. */
  z.strictObject({ outcome: z.literal("answered"), ms: z.number().nonnegative() }),
  z.strictObject({ outcome: z.literal("silence") }),
  /** Nothing was sent. */
  z.strictObject({
    outcome: z.literal("refused"),
    code: z.enum(["probe-off", "probe-busy", "probe-not-public", "probe-bad-key"]),
  }),
]);

const probeResult = z.strictObject({
  type: z.literal("probe-result"),
  id: z.int().nonnegative(),
  /** Where the initiation was sent. */
  endpoint: z.strictObject({ host: addressSchema, port: portSchema }),
  result: probeOutcomeSchema,
});

const sessionOpen = z.strictObject({
  type: z.literal("session-open"),
  session: sessionIdSchema,
  via: z.enum(["udp", "websocket"]),
});

/** What the node keeps for a server that may be killed; each seal takes the place of the session's earlier one. */
const sessionSeal = z.strictObject({
  type: z.literal("session-seal"),
  session: sessionIdSchema,
  seal: sessionSealSchema,
});

/**
 * Asks a server that has forgotten the node's sessions to open them again, under the same ids. Those it cannot
 * open it closes, with `session-close`.
 */
const restore = z.strictObject({
  type: z.literal("restore"),
  sessions: z.array(z.strictObject({ session: sessionIdSchema, seal: sessionSealSchema })).max(MAX_RESTORED_AT_ONCE),
});

const drain = z.strictObject({
  type: z.literal("drain"),
  /** After this the server closes; a node that has another server moves there at once. */
  withinMs: durationMs,
});

const connect = z.strictObject({
  type: z.literal("connect"),
  protocol,
  /** The node by its id, or by the UDP port a guest's configuration names. */
  target: z.union([z.strictObject({ node: nodeIdSchema }), z.strictObject({ port: portSchema })]),
  agent: z.string().max(64).optional(),
});

/** The one session of a guest's link; datagrams of any other are a protocol error. */
const connected = z.strictObject({
  type: z.literal("connected"),
  session: sessionIdSchema,
  heartbeatMs: durationMs.min(100),
});

export const nodeToServerSchema = z.discriminatedUnion("type", [
  hello,
  auth,
  restore,
  probe,
  sessionClose,
  ping,
  pong,
  error,
]);
export const serverToNodeSchema = z.discriminatedUnion("type", [
  challenge,
  registered,
  observed,
  probeResult,
  sessionOpen,
  sessionSeal,
  sessionClose,
  drain,
  ping,
  pong,
  error,
]);
export const guestToServerSchema = z.discriminatedUnion("type", [connect, ping, pong, error]);
export const serverToGuestSchema = z.discriminatedUnion("type", [connected, sessionClose, drain, ping, pong, error]);

export type NodeToServer = z.infer<typeof nodeToServerSchema>;
export type ServerToNode = z.infer<typeof serverToNodeSchema>;
export type GuestToServer = z.infer<typeof guestToServerSchema>;
export type ServerToGuest = z.infer<typeof serverToGuestSchema>;
export type ControlMessage = NodeToServer | ServerToNode | GuestToServer | ServerToGuest;
export type Registered = z.infer<typeof registered>;
export type Observed = z.infer<typeof observed>;
export type SealedSession = z.infer<typeof restore>["sessions"][number];
export type ProbeRequest = z.infer<typeof probe>;
export type ProbeResult = z.infer<typeof probeResult>;
export type ProbeOutcome = z.infer<typeof probeOutcomeSchema>;

/** Compression comes from the host (node:zlib), so that this file runs anywhere. */
export interface ControlCompression {
  deflateRaw(bytes: Uint8Array): Uint8Array;
  /** Throws when the result is longer than `maxBytes` or the input is no deflate stream. */
  inflateRaw(bytes: Uint8Array, maxBytes: number): Uint8Array;
}

// In every JavaScript host we run in, but in no ECMAScript library that TypeScript ships.
declare class TextEncoder {
  encode(text: string): Uint8Array;
}
declare class TextDecoder {
  constructor(label: string, options: { fatal: boolean });
  decode(bytes: Uint8Array): string;
}

const encoder = new TextEncoder();

/**
 * A control message as what goes into `send`: a string for a text frame, or a type 2 binary message where
 * that is shorter. Throws RangeError when it fits neither, which no message of ours does.
 */
export function encodeControl(message: ControlMessage, compression?: ControlCompression): string | Uint8Array {
  const text = JSON.stringify(message);
  // A UTF-16 unit is at most three bytes of UTF-8: short messages need no count.
  if (text.length * 3 <= DEFLATE_FROM_BYTES) return text;
  const bytes = encoder.encode(text);
  if (compression !== undefined && bytes.length > DEFLATE_FROM_BYTES && bytes.length <= MAX_INFLATED_BYTES) {
    const deflated = compression.deflateRaw(bytes);
    const total = deflated.length + MESSAGE_HEADER_BYTES;
    if (total < bytes.length && total <= MAX_CONTROL_BYTES) {
      const framed = new Uint8Array(total);
      framed[0] = DEFLATED_CONTROL_TYPE;
      framed.set(deflated, MESSAGE_HEADER_BYTES);
      return framed;
    }
  }
  if (bytes.length > MAX_CONTROL_BYTES) throw new RangeError(`a control message of ${bytes.length} bytes is too long`);
  return text;
}

/**
 * Parses a control message of one direction. `data` is the text of a text frame, or a whole type 2 message.
 * Fails with `control-too-long`, `control-malformed` or `control-invalid`.
 */
export function decodeControl<S extends z.ZodType>(
  schema: S,
  data: string | Uint8Array,
  compression?: ControlCompression,
): Result<z.output<S>> {
  const text = typeof data === "string" ? textWithin(data) : inflate(data, compression);
  if (!text.ok) return text;
  let value: unknown;
  try {
    value = JSON.parse(text.value);
  } catch {
    return fail("control-malformed", "a control message is not JSON");
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return ok(parsed.data);
  return fail("control-invalid", `a control message is invalid: ${describeZodError(parsed.error)}`.slice(0, 512));
}

function textWithin(text: string): Result<string> {
  if (
    text.length > MAX_CONTROL_BYTES ||
    (text.length * 3 > MAX_CONTROL_BYTES && utf8Length(text) > MAX_CONTROL_BYTES)
  ) {
    return fail("control-too-long", `a control message is longer than ${MAX_CONTROL_BYTES} bytes`);
  }
  return ok(text);
}

function utf8Length(text: string): number {
  return encoder.encode(text).length;
}

function inflate(message: Uint8Array, compression: ControlCompression | undefined): Result<string> {
  if (message.length > MAX_CONTROL_BYTES) {
    return fail("control-too-long", `a control message is longer than ${MAX_CONTROL_BYTES} bytes`);
  }
  if (message[0] !== DEFLATED_CONTROL_TYPE || compression === undefined) {
    return fail("control-malformed", "a binary message is no deflated control message");
  }
  try {
    const bytes = compression.inflateRaw(message.subarray(MESSAGE_HEADER_BYTES), MAX_INFLATED_BYTES);
    return ok(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return fail("control-malformed", "a deflated control message cannot be inflated");
  }
}

export interface AuthTranscript {
  /** The name of the server as in its challenge. */
  readonly server: string;
  readonly serverNonce: string;
  readonly nodeNonce: string;
  readonly node: string;
}

/**
 * What a node signs, as text to be taken as UTF-8. The first line separates this signature from every other
 * use of the key; the server's name keeps one server from passing another's challenge on; both nonces are
 * fresh, so a recorded signature is worth nothing on a second connection. No field can hold a line break.
 */
export function authTranscript({ server, serverNonce, nodeNonce, node }: AuthTranscript): string {
  return `${RELAY_PROTOCOL} node authentication\nserver ${server}\nserver-nonce ${serverNonce}\nnode-nonce ${nodeNonce}\nnode ${node}\n`;
}
