/** Runs checks side by side, each with a time limit, and tells of each as it ends. */
import type { Clock } from "../../src-shared/clock.ts";
import type { CheckResult, Diagnosis } from "../../src-shared/model/diagnosis.ts";
import { type Check, type CheckContext, failed, skipped, type Verdict } from "./check.ts";

/** The slowest honest check waits for a resolver or a connection; both answer within a second or not at all. */
const CHECK_WITHIN_MS = 4_000;

const ABORTED = skipped("The diagnosis was ended before.");

export interface RunOptions {
  clock: Clock;
  version: string;
  nodePhase: string | null;
  signal: AbortSignal;
  onProgress?: ((progress: { done: number; total: number; check: CheckResult }) => void) | undefined;
}

/** Runs all side by side, each with its time limit; the results stand in the order of `checks`. Never rejects: a check that throws has failed. */
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
  const { verdict, tookMs } = signal.aborted
    ? { verdict: ABORTED, tookMs: 0 }
    : await limited(check, context, clock, signal);
  return {
    id: check.id,
    group: check.group,
    title: check.title,
    ...verdict,
    durationMs: Math.round(tookMs),
  };
}

interface Judged {
  verdict: Verdict;
  tookMs: number;
}

/** The check's own verdict, or that it was too slow, or that nobody waits for it any more. Never rejects. */
async function limited(check: Check, context: CheckContext, clock: Clock, signal: AbortSignal): Promise<Judged> {
  const startedMs = clock.monotonicMs();
  let tookMs: number | undefined;
  const limit = new AbortController();
  const ended = Promise.withResolvers<Verdict>();
  const cancel = clock.after(CHECK_WITHIN_MS, () => {
    ended.resolve(failed(`No answer within ${CHECK_WITHIN_MS / 1000} s.`, "Run the diagnosis again."));
    limit.abort();
  });
  const abort = () => {
    ended.resolve(ABORTED);
    limit.abort();
  };
  signal.addEventListener("abort", abort, { once: true });
  const looked = Promise.resolve()
    .then(() => {
      const begunMs = clock.monotonicMs();
      const verdict = check.run(context, limit.signal);
      // What is there at once has taken until now; the others that begin meanwhile are not its fault.
      if (!(verdict instanceof Promise)) tookMs = clock.monotonicMs() - begunMs;
      return verdict;
    })
    .catch((thrown: unknown) => {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      return failed(`The check itself failed: ${reason}`, "Please report this.");
    });
  const verdict = await Promise.race([ended.promise, looked]);
  cancel();
  signal.removeEventListener("abort", abort);
  return { verdict, tookMs: tookMs ?? clock.monotonicMs() - startedMs };
}
