/** Runs checks side by side, each with a time limit, and tells of each as it ends. */
import type { Clock } from "../../src-shared/clock.ts";
import type { CheckResult, Diagnosis } from "../../src-shared/model/diagnosis.ts";
import { type Check, type CheckContext, failed, type Verdict } from "./check.ts";

/** The slowest honest check waits for a resolver or a connection; both answer within a second or not at all. */
const CHECK_WITHIN_MS = 4_000;

export interface RunOptions {
  clock: Clock;
  version: string;
  nodePhase: string | null;
  signal: AbortSignal;
  onProgress?: ((progress: { done: number; total: number; check: CheckResult }) => void) | undefined;
}

export async function runChecks(
  checks: readonly Check[],
  context: CheckContext,
  options: RunOptions,
): Promise<Diagnosis> {
  const { clock, version, nodePhase, onProgress } = options;
  let done = 0;
  const results = await Promise.all(
    checks.map(async (check) => {
      const result = await runOne(check, context, options);
      done++;
      onProgress?.({ done, total: checks.length, check: result });
      return result;
    }),
  );
  return {
    version,
    finishedAt: new Date(clock.nowMs()).toISOString(),
    nodePhase,
    outcome: results.some(({ outcome }) => outcome === "fail") ? "fail" : "pass",
    checks: results,
  };
}

async function runOne(check: Check, context: CheckContext, { clock, signal }: RunOptions): Promise<CheckResult> {
  const startedMs = clock.monotonicMs();
  const limit = new AbortController();
  let cancel = () => {};
  const late = new Promise<Verdict>((resolve) => {
    cancel = clock.after(CHECK_WITHIN_MS, () => {
      limit.abort();
      resolve(failed(`No answer within ${CHECK_WITHIN_MS / 1000} s.`, "Run the diagnosis again."));
    });
  });
  const either = AbortSignal.any([signal, limit.signal]);
  const looked = Promise.resolve()
    .then(() => check.run(context, either))
    .catch((thrown: unknown) => {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      return failed(`The check itself failed: ${reason}`, "Please report this.");
    });
  const verdict = await Promise.race([looked, late]);
  cancel();
  return {
    id: check.id,
    group: check.group,
    title: check.title,
    ...verdict,
    durationMs: Math.round(clock.monotonicMs() - startedMs),
  };
}
