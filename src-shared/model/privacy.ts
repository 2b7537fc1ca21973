/** What is kept about the people who use a node, what they themselves would be shown of it, and what the owner decides. */
import { z } from "zod";
import { higgsErrorSchema } from "../result.ts";
import { timestampSchema } from "./client.ts";

/** A year: longer than anybody remembers that a log is kept. */
export const MAX_RETENTION_DAYS = 365;

/** The fields of the node's settings that concern guests' privacy, with their defaults. */
export const privacyFields = {
  /** Bytes and packets per client and minute. */
  logTraffic: z.boolean().default(false),
  /** Names and types that guests ask of the node's DNS answerer. */
  logDNS: z.boolean().default(false),
  /** Who connected where, when, for how long, and with how many bytes. */
  logMetadata: z.boolean().default(true),
  /** Keep only the /24 of IPv4 and the /48 of IPv6 addresses. */
  anonymizeIPs: z.boolean().default(true),
  /** Days after which what was logged is deleted. */
  maxLogRetention: z.int().min(1).max(MAX_RETENTION_DAYS).default(7),
} as const;

export const privacySettingsSchema = z.strictObject(privacyFields);

export type PrivacySettings = z.output<typeof privacySettingsSchema>;

export const PRIVACY_KEYS = Object.keys(privacyFields) as (keyof PrivacySettings)[];

/** Whether connections are being recorded: what is wanted and what is so are told apart. */
export const connectionLogStateSchema = z.discriminatedUnion("state", [
  z.object({ state: z.literal("off") }),
  /** Wanted, and nothing to record: the node is not sharing, or the helper has not answered yet. */
  z.object({ state: z.literal("waiting") }),
  z.object({ state: z.literal("on") }),
  z.object({ state: z.literal("unavailable"), error: higgsErrorSchema }),
]);

const count = z.number().int().nonnegative();

/** Connections that are missing from the log, since this run of the node began. */
export const lostConnectionsSchema = z.object({
  /** Dropped by the kernel, because nobody read its events quickly enough. */
  kernel: count,
  /** Not written, because the database took no more. */
  notWritten: count,
});

/** Of one kind of record: how many, about how much of the database, from when to when. */
const storedKindSchema = z.object({
  count,
  bytes: count,
  oldestAt: timestampSchema.nullable(),
  newestAt: timestampSchema.nullable(),
});

export const storedSchema = z.object({
  connections: storedKindSchema,
  dns: storedKindSchema,
  traffic: storedKindSchema,
  /** Sums per client and day, without destinations: quotas and totals need them, so they are kept in any case. */
  usageDays: storedKindSchema,
  /** The database with its write-ahead log on disk. */
  databaseBytes: count,
});

/** Counts of the logs before and after a deletion: its proof. */
export const deletionSchema = z.object({ at: timestampSchema, before: storedSchema, after: storedSchema });

export const privacyStateSchema = z.object({
  settings: privacySettingsSchema,
  connectionLog: connectionLogStateSchema,
  lost: lostConnectionsSchema,
  /** The last time that retention deleted something, in this run of the node. */
  lastRetention: deletionSchema.nullable(),
});

export const logKindSchema = z.enum(["connections", "dns", "traffic"]);

/** Bytes and packets; null where the kernel did not count them. */
const amountSchema = z.object({ bytes: count, packets: count }).nullable();

export const connectionEntrySchema = z.object({
  kind: z.literal("connections"),
  endedAt: timestampSchema,
  startedAt: timestampSchema.nullable(),
  /** As connection tracking held it: for TCP up to two minutes longer than the connection itself (TIME_WAIT). */
  durationSeconds: count.nullable(),
  clientId: z.string(),
  /** Null once the client was removed. */
  clientName: z.string().nullable(),
  destination: z.string(),
  /** Null for protocols without ports. */
  port: z.number().int().nullable(),
  protocol: z.string(),
  /** From the client, and to it. */
  sent: amountSchema,
  received: amountSchema,
  anonymised: z.boolean(),
});

export const dnsEntrySchema = z.object({
  kind: z.literal("dns"),
  at: timestampSchema,
  clientId: z.string(),
  clientName: z.string().nullable(),
  name: z.string(),
  type: z.string(),
  anonymised: z.boolean(),
});

export const trafficEntrySchema = z.object({
  kind: z.literal("traffic"),
  /** Start of the minute. */
  at: timestampSchema,
  clientId: z.string(),
  clientName: z.string().nullable(),
  /** From the client, and to it. */
  sentBytes: count,
  receivedBytes: count,
  /** Of the connections that ended in this minute; null while connections are not recorded. */
  sentPackets: count.nullable(),
  receivedPackets: count.nullable(),
});

export const logEntrySchema = z.discriminatedUnion("kind", [connectionEntrySchema, dnsEntrySchema, trafficEntrySchema]);

/** What one answer carries at most: some 100 kB. */
export const MAX_PAGE_ENTRIES = 500;

const cursorSchema = z
  .string()
  .max(128)
  .regex(/^[A-Za-z0-9:_-]+$/);

export const logFilterSchema = z.strictObject({
  kind: logKindSchema.default("connections"),
  since: timestampSchema.optional(),
  /** Entries at this time or later are left out. */
  until: timestampSchema.optional(),
  /** Name or id of a client. */
  client: z.string().min(1).max(256).optional(),
  /** Part of a destination, a protocol or a name, in any case. */
  search: z.string().max(256).optional(),
});

export const logQuerySchema = logFilterSchema.extend({
  order: z.enum(["newest", "oldest"]).default("newest"),
  limit: z.int().min(1).max(MAX_PAGE_ENTRIES).default(100),
  /** `next` of the page before. */
  cursor: cursorSchema.optional(),
});

export const logPageSchema = z.object({ entries: z.array(logEntrySchema), next: z.string().nullable() });

export const exportFormatSchema = z.enum(["jsonl", "csv"]);

export const exportQuerySchema = logFilterSchema.extend({
  format: exportFormatSchema,
  cursor: cursorSchema.optional(),
});

/** A piece of the export, oldest entries first; the pieces in a row are the file. */
export const exportPieceSchema = z.object({ text: z.string(), next: z.string().nullable() });

export type ConnectionLogState = z.infer<typeof connectionLogStateSchema>;
export type StoredKind = z.infer<typeof storedKindSchema>;
export type Stored = z.infer<typeof storedSchema>;
export type Deletion = z.infer<typeof deletionSchema>;
export type PrivacyState = z.infer<typeof privacyStateSchema>;
export type LogKind = z.infer<typeof logKindSchema>;
export type ConnectionEntry = z.infer<typeof connectionEntrySchema>;
export type DnsEntry = z.infer<typeof dnsEntrySchema>;
export type TrafficEntry = z.infer<typeof trafficEntrySchema>;
export type LogEntry = z.infer<typeof logEntrySchema>;
export type LogQuery = z.output<typeof logQuerySchema>;
export type LogPage = z.infer<typeof logPageSchema>;
export type ExportFormat = z.infer<typeof exportFormatSchema>;
export type ExportQuery = z.output<typeof exportQuerySchema>;
export type ExportPiece = z.infer<typeof exportPieceSchema>;
