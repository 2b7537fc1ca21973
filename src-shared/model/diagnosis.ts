/** The result of `diagnose`: only checks that really ran say pass, warn or fail. */
import { z } from "zod";
import { timestampSchema } from "./client.ts";

export const diagnosisGroupSchema = z.enum(["system", "network", "wireguard", "nat", "routing", "firewall"]);

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

export type DiagnosisGroup = z.infer<typeof diagnosisGroupSchema>;
export type CheckResult = z.infer<typeof checkResultSchema>;
export type Diagnosis = z.infer<typeof diagnosisSchema>;
