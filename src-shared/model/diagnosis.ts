/** The result of `diagnose`: only checks that really ran say pass, warn or fail. */
import { z } from "zod";
import { timestampSchema } from "./client.ts";

export const diagnosisGroupSchema = z.enum([
  "system",
  "network",
  "wireguard",
  "nat",
  "routing",
  "firewall",
  "reachability",
  "relay",
  "dns",
  "ipv6",
  "mtu",
  "limits",
  "privacy",
  "storage",
]);

export const checkResultSchema = z.object({
  /** Stable, `group.subject`. */
  id: z.string(),
  group: diagnosisGroupSchema,
  title: z.string(),
  outcome: z.enum(["pass", "warn", "fail", "skipped"]),
  /** What was measured; for a skipped check why it did not run. */
  detail: z.string(),
  /** What to do about it, with the exact command where there is one. */
  fix: z.string().optional(),
  durationMs: z.number().nonnegative(),
});

export const diagnosisSchema = z.object({
  version: z.string(),
  finishedAt: timestampSchema,
  /** Whether a node was running and asked. */
  nodePhase: z.string().nullable(),
  outcome: z.enum(["pass", "fail"]),
  checks: z.array(checkResultSchema),
});

/** One stage of the self-test, which a temporary guest goes through. */
export const selfTestStageSchema = z.enum([
  "guest",
  "handshake",
  "dns",
  "ipv4",
  "ipv6",
  "mtu",
  "lan-isolation",
  "throughput",
  "clean-up",
]);

export const selfTestStepSchema = z.object({
  stage: selfTestStageSchema,
  outcome: z.enum(["pass", "warn", "fail", "skipped"]),
  /** What was measured, or why it was skipped. */
  detail: z.string(),
  durationMs: z.number().nonnegative(),
});

export const selfTestSchema = z.object({
  outcome: z.enum(["pass", "fail"]),
  finishedAt: timestampSchema,
  steps: z.array(selfTestStepSchema),
});

/** The bundle for a bug report: the same content twice, for programs and for people. Redacted. */
export const reportSchema = z.object({ createdAt: timestampSchema, json: z.string(), text: z.string() });

export type DiagnosisGroup = z.infer<typeof diagnosisGroupSchema>;
export type CheckResult = z.infer<typeof checkResultSchema>;
export type Diagnosis = z.infer<typeof diagnosisSchema>;
export type SelfTestStage = z.infer<typeof selfTestStageSchema>;
export type SelfTestStep = z.infer<typeof selfTestStepSchema>;
export type SelfTest = z.infer<typeof selfTestSchema>;
export type Report = z.infer<typeof reportSchema>;
