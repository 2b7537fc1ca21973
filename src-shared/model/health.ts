/**
 * Whether the node works, fact by fact, and what it does about what does not. A fact says what the machine really
 * has and what was really tried, never what was once wanted; "unknown" is its own state and never bad.
 */
import { z } from "zod";
import { higgsErrorSchema } from "../result.ts";
import { timestampSchema } from "./client.ts";

export const healthFactCodeSchema = z.enum([
  "helper",
  "networkRoute",
  "wireguard",
  "routing",
  "nat",
  "addressConflict",
  "limits",
  "dns",
  "egressIpv4",
  "egressIpv6",
  "portMapping",
  "reachability",
  "relay",
  "disk",
  "clock",
]);

export const healthFactSchema = z.object({
  code: healthFactCodeSchema,
  /** `error` facts make a node unhealthy, `warning` facts only want attention. */
  severity: z.enum(["error", "warning"]),
  /** Whether guests have no connection while it is bad. */
  cutsConnectivity: z.boolean(),
  /** `off`: not asked for now, such as a relay that nobody named, or anything while sharing is off. */
  state: z.enum(["good", "bad", "unknown", "off"]),
  /** Since when it is in this state. */
  since: timestampSchema,
  /** What is wrong, and what the owner can do; present exactly while the fact is bad. */
  error: higgsErrorSchema.optional(),
  /** The fact this one is a symptom of: bad too, and shown in its place. */
  silencedBy: healthFactCodeSchema.optional(),
  /** Bad, but not for so long that the owner should be told. */
  waiting: z.boolean(),
});

/** What is done about it now. `attempt` counts from 1 within one recovery. */
export const recoverySchema = z.discriminatedUnion("state", [
  z.object({ state: z.literal("idle") }),
  z.object({
    state: z.literal("running"),
    cause: healthFactCodeSchema,
    step: z.string(),
    attempt: z.int().positive(),
    since: timestampSchema,
  }),
  z.object({
    state: z.literal("waiting"),
    cause: healthFactCodeSchema,
    attempt: z.int().positive(),
    since: timestampSchema,
    nextAt: timestampSchema,
  }),
]);

export const healthSchema = z.object({
  /** `bad`: something that is shown cuts guests off or is an error; `attention`: only warnings are shown. */
  overall: z.enum(["good", "attention", "bad", "unknown", "off"]),
  facts: z.array(healthFactSchema),
  /** When everything was last looked at; null before the first time. */
  checkedAt: timestampSchema.nullable(),
  recovery: recoverySchema,
  /** Whether the machine should be kept awake for its guests; the host honours it where it can. */
  keepAwake: z.boolean(),
});

/** One line of the history. */
export const healthEventSchema = z.object({
  id: z.int().positive(),
  at: timestampSchema,
  kind: z.enum(["unhealthy", "healthy", "recovery-step", "recovered", "recovery-failed", "woke", "clock-jumped"]),
  /** The fact it is about; null where it is about the machine. */
  fact: healthFactCodeSchema.nullable(),
  /** What failed, or why a recovery did. */
  error: higgsErrorSchema.nullable(),
  /** What was done, such as `apply`, `remap`, `reconnect`, `restart-helper`. */
  step: z.string().nullable(),
  attempt: z.int().positive().nullable(),
  /** How long the fault, the step or the sleep lasted. */
  durationMs: z.number().nonnegative().nullable(),
});

/** Newest first; `before` is the id of the last one that was read. */
export const healthHistoryQuerySchema = z.strictObject({
  limit: z.int().min(1).max(200).default(50),
  before: z.int().positive().optional(),
});

export const healthHistorySchema = z.object({ events: z.array(healthEventSchema), more: z.boolean() });

/** One day in the machine's time zone, `YYYY-MM-DD`: seconds in which sharing was wanted, and in which it worked. */
export const uptimeDaySchema = z.object({
  day: z.string(),
  wantedSeconds: z.int().nonnegative(),
  workingSeconds: z.int().nonnegative(),
});

export type HealthFactCode = z.infer<typeof healthFactCodeSchema>;
export type HealthFact = z.infer<typeof healthFactSchema>;
export type Recovery = z.infer<typeof recoverySchema>;
export type Health = z.infer<typeof healthSchema>;
export type HealthEvent = z.infer<typeof healthEventSchema>;
export type HealthHistory = z.infer<typeof healthHistorySchema>;
export type UptimeDay = z.infer<typeof uptimeDaySchema>;

/** A node that has not looked yet. */
export const HEALTH_NOT_LOOKED: Health = {
  overall: "unknown",
  facts: [],
  checkedAt: null,
  recovery: { state: "idle" },
  keepAwake: false,
};
