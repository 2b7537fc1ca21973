/** Results of the checks, by group, with what wants attention first. Pure. */
import { type CheckResult, type DiagnosisGroup, diagnosisGroupSchema } from "../../../src-shared/model/diagnosis.ts";

export type Outcome = CheckResult["outcome"];

export interface CheckGroup {
  readonly group: DiagnosisGroup;
  /** The worst of its checks. */
  readonly outcome: Outcome;
  readonly checks: readonly CheckResult[];
}

/** From what is worst to what says least. */
const ORDER: readonly Outcome[] = ["fail", "warn", "pass", "skipped"];

export function countOutcomes(checks: readonly CheckResult[]): Readonly<Record<Outcome, number>> {
  const counts = { pass: 0, warn: 0, fail: 0, skipped: 0 };
  for (const { outcome } of checks) counts[outcome]++;
  return counts;
}

/** Groups in the order of the model; `onlyProblems` leaves out what passed or did not run. */
export function groupChecks(checks: readonly CheckResult[], onlyProblems: boolean): CheckGroup[] {
  const shown = checks.filter(({ outcome }) => !onlyProblems || outcome === "fail" || outcome === "warn");
  return diagnosisGroupSchema.options.flatMap((group) => {
    const own = shown.filter((check) => check.group === group);
    const outcome = ORDER.find((one) => own.some((check) => check.outcome === one));
    if (outcome === undefined) return [];
    return { group, outcome, checks: [...own].sort((one, other) => rank(one) - rank(other)) };
  });
}

function rank({ outcome }: CheckResult): number {
  return ORDER.indexOf(outcome);
}
