/**
 * From what each fact was found to be, to what is shown of it: since when, whether it is a symptom of another, and whether it is
 * time to tell. Pure.
 */
import type { Health, HealthFact, HealthFactCode } from "../../src-shared/model/health.ts";
import type { HealthVerdict } from "../../src-shared/model/health-verdict.ts";
import type { RegisteredFact } from "./facts.ts";

/** What is remembered of a fact between two looks. */
export interface Standing {
  readonly verdict: HealthVerdict;
  /** Since when it is in this state: on the wall, and by the clock that measures. */
  readonly since: string;
  readonly sinceMs: number;
}

export type Standings = ReadonlyMap<HealthFactCode, Standing>;

export interface Judgement {
  readonly facts: HealthFact[];
  /** When a fact that waits is to be shown, by the clock that measures; undefined where none waits. */
  readonly showAtMs: number | undefined;
}

/** The standings after another look; a state that is the same lasts since it began. */
export function remember(
  before: Standings,
  verdicts: ReadonlyMap<HealthFactCode, HealthVerdict>,
  now: { wall: string; monotonicMs: number },
): Map<HealthFactCode, Standing> {
  const standings = new Map(before);
  for (const [code, verdict] of verdicts) {
    const last = before.get(code);
    const lasts = last?.verdict.state === verdict.state ? last : undefined;
    standings.set(code, {
      verdict,
      since: lasts?.since ?? now.wall,
      sinceMs: lasts?.sinceMs ?? now.monotonicMs,
    });
  }
  return standings;
}

/** What is shown of each fact at `monotonicMs`, and when a fault that still waits would be. Pure. */
export function judge(registered: readonly RegisteredFact[], standings: Standings, monotonicMs: number): Judgement {
  const facts: HealthFact[] = [];
  const isBad = (code: HealthFactCode) => standings.get(code)?.verdict.state === "bad";
  let showAtMs: number | undefined;
  for (const { code, severity, cutsConnectivity, waitMs } of registered) {
    const standing = standings.get(code);
    if (standing === undefined) continue;
    const { verdict, since, sinceMs } = standing;
    const silencedBy = verdict.state === "bad" ? rootOf(code, registered, isBad) : undefined;
    const waiting = verdict.state === "bad" && monotonicMs < sinceMs + waitMs;
    if (waiting && silencedBy === undefined)
      showAtMs = Math.min(showAtMs ?? Number.POSITIVE_INFINITY, sinceMs + waitMs);
    facts.push({
      code,
      severity,
      cutsConnectivity,
      state: verdict.state,
      since,
      waiting,
      ...(verdict.error === undefined || verdict.state !== "bad" ? {} : { error: verdict.error }),
      ...(silencedBy === undefined ? {} : { silencedBy }),
    });
  }
  return { facts, showAtMs };
}

/** The bad fact that is the cause of this one and has no bad cause itself; undefined for a root. */
function rootOf(
  code: HealthFactCode,
  registered: readonly RegisteredFact[],
  isBad: (code: HealthFactCode) => boolean,
): HealthFactCode | undefined {
  const cause = registered.find((fact) => fact.code === code)?.dependsOn.find(isBad);
  return cause === undefined ? undefined : (rootOf(cause, registered, isBad) ?? cause);
}

/** Bad, no symptom, and for so long that the owner should know. */
export function isShown(fact: HealthFact): boolean {
  return fact.state === "bad" && fact.silencedBy === undefined && !fact.waiting;
}

/**
 * The one word for all of it. A fact that nobody could look at makes it unknown only where the fact matters and nothing bad
 * explains why.
 */
export function overallOf(facts: readonly HealthFact[]): Health["overall"] {
  const shown = facts.filter(isShown);
  if (shown.some(({ severity, cutsConnectivity }) => severity === "error" || cutsConnectivity)) return "bad";
  if (shown.length > 0) return "attention";
  if (facts.length > 0 && facts.every(({ state }) => state === "off")) return "off";
  const isBlind = facts.some(({ state, severity }) => state === "unknown" && severity === "error");
  if (facts.length === 0 || (isBlind && !facts.some(({ state }) => state === "bad"))) return "unknown";
  return "good";
}
