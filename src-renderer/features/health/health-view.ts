/** Facts as rows: what wants attention first, each root cause with its symptoms below it. Pure. */
import type { Health, HealthFact, HealthFactCode } from "../../../src-shared/model/health.ts";

export interface Cause {
  readonly fact: HealthFact;
  /** Facts that fail because of it, whatever lies between them. */
  readonly symptoms: readonly HealthFact[];
}

export interface HealthRows {
  /** Facts that are bad by themselves: errors before warnings, settled ones before those still waited for. */
  readonly causes: readonly Cause[];
  /** Everything that is not bad, in the order the node tells it. */
  readonly others: readonly HealthFact[];
}

export function healthRows(facts: readonly HealthFact[]): HealthRows {
  const byCode = new Map(facts.map((fact) => [fact.code, fact]));
  const bad = facts.filter(({ state }) => state === "bad");
  const rootOf = new Map(bad.map((fact) => [fact.code, rootCause(fact, byCode)]));
  const causes = bad
    .filter(({ code }) => rootOf.get(code) === code)
    .map((fact) => ({
      fact,
      symptoms: bad.filter(({ code }) => code !== fact.code && rootOf.get(code) === fact.code),
    }))
    .sort((one, other) => weight(other.fact) - weight(one.fact));
  return { causes, others: facts.filter(({ state }) => state !== "bad") };
}

/**
 * The end of the chain of `silencedBy`. A chain that leads to a fact that is not bad, or in a circle, ends before it: a
 * fault must never disappear behind another.
 */
function rootCause(fact: HealthFact, byCode: ReadonlyMap<HealthFactCode, HealthFact>): HealthFactCode {
  const seen = new Set<HealthFactCode>();
  let at = fact;
  while (at.silencedBy !== undefined) {
    seen.add(at.code);
    const next = byCode.get(at.silencedBy);
    if (next === undefined || next.state !== "bad") return at.code;
    if (seen.has(next.code)) return fact.code;
    at = next;
  }
  return at.code;
}

function weight({ waiting, severity, cutsConnectivity }: HealthFact): number {
  return (waiting ? 0 : 4) + (severity === "error" ? 2 : 0) + (cutsConnectivity ? 1 : 0);
}

export type HealthAnswer = Health["overall"] | "recovering" | "noticed";

/**
 * What the page's first sentence says. A repair under way is told before the fault it repairs; a fault that is too young to be told of
 * keeps the page from saying that everything works.
 */
export function healthAnswer({ overall, recovery, facts }: Health): HealthAnswer {
  const isBad = overall === "bad" || overall === "attention";
  if (recovery.state !== "idle" && isBad) return "recovering";
  return !isBad && facts.some(({ state, waiting }) => state === "bad" && waiting) ? "noticed" : overall;
}

/** The key of a fact's state under `health.facts.state`. */
export function factState({ state, severity }: HealthFact): "good" | "bad" | "warning" | "unknown" | "off" {
  return state === "bad" && severity === "warning" ? "warning" : state;
}

export const RECOVERY_STEPS = ["apply", "restart-helper", "remap", "reconnect", "rebind", "replan"] as const;

/** A step that has words of its own; undefined for one that came with a newer node. */
export function knownStep(step: string): (typeof RECOVERY_STEPS)[number] | undefined {
  return RECOVERY_STEPS.find((known) => known === step);
}
