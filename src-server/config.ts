/**
 * What an operator can set. Sources, later ones win: defaults, the JSON file, `HIGGS_RELAY_*` variables,
 * flags. Every problem is reported, each with the field it was found in.
 */
import { z } from "zod";
import { parseAddress, parsePrefix } from "../src-shared/net/address.ts";
import { hostSchema, portSchema } from "../src-shared/net/endpoint.ts";
import { nodeIdSchema } from "../src-shared/relay/control.ts";
import { PROCESS_QUEUE_BYTES } from "../src-shared/relay/drop-oldest-queue.ts";
import { fail, ok, type Result } from "../src-shared/result.ts";
import { STUN_PORT } from "../src-shared/stun/message.ts";

const addressSchema = z.string().refine((text) => parseAddress(text) !== undefined, "must be an IP address");
/** 0 lets the system choose, which only a test wants. */
const listenPortSchema = z.int().min(0).max(65535);
const listenSchema = z.strictObject({ host: addressSchema, port: listenPortSchema });
const countSchema = z.int().min(1).max(10_000_000);
const rateSchema = z.number().positive().max(1e12);

const limitsSchema = z
  .strictObject({
    /** Nodes and guests over WebSocket connected at once. */
    nodes: countSchema.default(2000),
    guests: countSchema.default(4000),
    /** TCP connections that have not finished their handshake; beyond that the oldest goes. */
    halfOpen: countSchema.default(512),
    halfOpenPerSource: countSchema.default(32),
    sessionsPerNode: z.int().min(1).max(65_000).default(256),
    /** A source is an IPv4 address or an IPv6 /64; many guests can share one behind carrier-grade NAT. */
    sessionsPerSource: countSchema.default(64),
    sessionOpensPerSecond: rateSchema.default(50),
    sourcePacketsPerSecond: rateSchema.default(30_000),
    sourceBytesPerSecond: rateSchema.default(40_000_000),
    /** Each direction on its own. */
    nodePacketsPerSecond: rateSchema.default(100_000),
    nodeBytesPerSecond: rateSchema.default(125_000_000),
    controlMessagesPerSecond: rateSchema.default(50),
    trackedSources: countSchema.default(65_536),
    /** Datagrams waiting for slow links, all links together. */
    queueBytes: z
      .int()
      .min(1024 * 1024)
      .default(PROCESS_QUEUE_BYTES),
  })
  .prefault({});

export const configSchema = z
  .strictObject({
    /** The host name nodes dial: it is part of what they sign. */
    serverName: hostSchema.default("localhost"),
    /** The host guests are told to send their datagrams to; the server name where it is not set. */
    publicHost: hostSchema.optional(),
    listen: listenSchema.prefault({ host: "127.0.0.1", port: 8443 }),
    /** Health and metrics, for the operator alone; off when null. */
    admin: listenSchema.nullable().prefault({ host: "127.0.0.1", port: 9465 }),
    tls: z.strictObject({ certFile: z.string().min(1), keyFile: z.string().min(1) }).optional(),
    /** Proxies whose X-Forwarded-For is believed. */
    trustedProxies: z
      .array(z.string().refine((text) => parsePrefix(text) !== undefined, "must be a prefix such as 127.0.0.1/32"))
      .max(64)
      .default([]),
    /** Plain WebSocket on an address others can reach, without a proxy: for tests in a network of one's own. */
    insecure: z.boolean().default(false),
    udp: z
      .strictObject({
        host: addressSchema.default("::"),
        portMin: portSchema.default(40_000),
        portMax: portSchema.default(49_999),
      })
      .prefault({}),
    /** Answers to STUN binding requests (RFC 8489), on `udp.host` unless another address is named; off when null. */
    stun: z
      .strictObject({ host: addressSchema.optional(), port: listenPortSchema.default(STUN_PORT) })
      .nullable()
      .prefault({}),
    /** Handshake initiations that nodes ask for, to find out whether guests reach them without this relay. */
    probe: z
      .strictObject({
        enabled: z.boolean().default(true),
        /** Probe nodes at private and loopback addresses too: for a network of one's own. */
        privateAddresses: z.boolean().default(false),
      })
      .prefault({}),
    dataDir: z.string().min(1).default("/var/lib/bosonserver"),
    registration: z
      .discriminatedUnion("mode", [
        z.strictObject({ mode: z.literal("open") }),
        z.strictObject({ mode: z.literal("allow-list"), nodes: z.array(nodeIdSchema).max(100_000) }),
      ])
      .default({ mode: "open" }),
    /** Anything quicker would close sessions between two keepalives of 25 s that were lost. */
    sessionIdleMs: z.int().min(1000).default(180_000),
    /** How long a node's sessions and port wait for it after its connection was lost. */
    graceMs: z.int().min(0).max(3_600_000).default(60_000),
    handshakeTimeoutMs: z.int().min(100).max(60_000).default(5_000),
    heartbeatMs: z.int().min(100).max(120_000).default(15_000),
    /** How long nodes have to move before the server stops. */
    drainMs: z.int().min(0).max(600_000).default(5_000),
    nats: z
      .strictObject({
        url: z.string().min(1),
        /** Separates clusters that share a NATS server. */
        prefix: z
          .string()
          .regex(/^[a-z0-9-]{1,32}$/, "must be 1 to 32 of a-z, 0-9 and -")
          .default("higgs"),
        user: z.string().optional(),
        password: z.string().optional(),
        token: z.string().optional(),
      })
      .optional(),
    logLevel: z.enum(["debug", "info", "warn", "error"]).default("info"),
    limits: limitsSchema,
  })
  .superRefine((config, context) => {
    const problem = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
    if (config.udp.portMin > config.udp.portMax) problem(["udp", "portMin"], "is above udp.portMax");
    const isPublic = parseAddress(config.listen.host) !== undefined && !/^(127\.|::1$)/.test(config.listen.host);
    if (isPublic && config.tls === undefined && config.trustedProxies.length === 0 && !config.insecure) {
      problem(["listen", "host"], "can be reached by others, but neither tls nor trustedProxies is set");
    }
  });

export type Config = z.output<typeof configSchema>;
export type Limits = Config["limits"];

/** Nested settings before validation. */
export type RawConfig = { [key: string]: unknown };

export interface ConfigSources {
  /** Text of the configuration file, when there is one. */
  readonly file?: { readonly path: string; readonly text: string };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `path.to.field` → value, from the command line. */
  readonly flags: ReadonlyMap<string, string>;
}

const ENV_PREFIX = "HIGGS_RELAY_";

/** Every field that can be set by a variable or a flag, as `path.to.field`. */
const FIELDS: readonly string[] = fieldPaths(configSchema, "");

/** Reads and validates the configuration. Fails with `config-invalid`, the message one line per problem. */
export function loadConfig(sources: ConfigSources): Result<Config> {
  const problems: string[] = [];
  let raw: RawConfig = {};
  if (sources.file !== undefined) {
    try {
      const value: unknown = JSON.parse(sources.file.text);
      if (isRecord(value)) raw = value;
      else problems.push(`${sources.file.path}: is not a JSON object`);
    } catch (error) {
      problems.push(`${sources.file.path}: is not JSON: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const byVariable = new Map(FIELDS.map((field) => [variableName(field), field]));
  for (const [name, value] of Object.entries(sources.env)) {
    if (value === undefined || !name.startsWith(ENV_PREFIX)) continue;
    const field = byVariable.get(name);
    if (field === undefined) problems.push(`${name}: is no setting`);
    else raw = withField(raw, field.split("."), parseScalar(value));
  }
  for (const [field, value] of sources.flags) {
    if (!FIELDS.includes(field)) problems.push(`${field}: is no setting`);
    else raw = withField(raw, field.split("."), parseScalar(value));
  }
  const parsed = configSchema.safeParse(raw);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const where = issue.path.map(String).join(".");
      problems.push(where === "" ? issue.message : `${where}: ${issue.message}`);
    }
  }
  if (parsed.success && problems.length === 0) return ok(parsed.data);
  return fail("config-invalid", problems.join("\n"), "Correct the settings named above and start again.");
}

/** `limits.queueBytes` → `HIGGS_RELAY_LIMITS_QUEUE_BYTES`. */
export function variableName(field: string): string {
  return (
    ENV_PREFIX +
    field
      .replaceAll(".", "_")
      .replaceAll(/[A-Z]/g, (letter) => `_${letter}`)
      .toUpperCase()
  );
}

/** Numbers, booleans, lists and objects are written as JSON; anything else is text. */
function parseScalar(text: string): unknown {
  if (!/^(-?[0-9]|true$|false$|null$|\[|\{)/.test(text)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function withField(target: RawConfig, path: readonly string[], value: unknown): RawConfig {
  const [head, ...rest] = path;
  if (head === undefined) return target;
  if (rest.length === 0) return { ...target, [head]: value };
  const inner = target[head];
  return { ...target, [head]: withField(isRecord(inner) ? inner : {}, rest, value) };
}

function isRecord(value: unknown): value is RawConfig {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fieldPaths(schema: z.core.$ZodType, prefix: string): string[] {
  if (schema instanceof z.ZodObject) {
    const inner = Object.entries(schema.shape).flatMap(([key, value]) =>
      fieldPaths(value as z.core.$ZodType, prefix === "" ? key : `${prefix}.${key}`),
    );
    return prefix === "" ? inner : [prefix, ...inner];
  }
  if (schema instanceof z.ZodDiscriminatedUnion) {
    const fields = new Set<string>([prefix]);
    for (const option of schema.options) for (const field of fieldPaths(option, prefix)) fields.add(field);
    return [...fields];
  }
  if (
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable
  ) {
    return fieldPaths(schema.unwrap() as z.core.$ZodType, prefix);
  }
  return [prefix];
}
