import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type HealthFactCode, healthFactCodeSchema, healthFactSchema } from "../../src-shared/model/health.ts";
import type { HealthVerdict } from "../../src-shared/model/health-verdict.ts";
import { HEALTH_FACTS } from "./facts.ts";
import { isShown, judge, overallOf, remember } from "./judge.ts";

const START = { wall: "2026-01-01T00:00:00.000Z", monotonicMs: 0 };
const LONG_AFTER_MS = 3_600_000;
const BAD: HealthVerdict = { state: "bad", error: { code: "broken", message: "It is broken.", hint: "Mend it." } };

function all(verdict: HealthVerdict): Map<HealthFactCode, HealthVerdict> {
  return new Map(HEALTH_FACTS.map(({ code }) => [code, verdict]));
}

function judged(changes: [HealthFactCode, HealthVerdict][], afterMs = LONG_AFTER_MS) {
  const verdicts = new Map([...all({ state: "good" }), ...changes]);
  return judge(HEALTH_FACTS, remember(new Map(), verdicts, START), afterMs);
}

const verdicts = fc
  .array(fc.constantFrom<HealthVerdict>({ state: "good" }, { state: "unknown" }, { state: "off" }, BAD), {
    minLength: HEALTH_FACTS.length,
    maxLength: HEALTH_FACTS.length,
  })
  .map((list) => new Map(HEALTH_FACTS.map(({ code }, index) => [code, list[index] ?? BAD])));

describe("the list of facts", () => {
  it("has every fact once, and each cause before its symptoms", () => {
    const codes = HEALTH_FACTS.map(({ code }) => code);
    expect([...codes].sort()).toEqual([...healthFactCodeSchema.options].sort());
    for (const [index, { dependsOn }] of HEALTH_FACTS.entries()) {
      for (const cause of dependsOn) expect(codes.slice(0, index)).toContain(cause);
    }
  });
});

describe("a symptom", () => {
  it("is silenced by its root, not by another symptom between", () => {
    const { facts } = judged([
      ["networkRoute", BAD],
      ["egressIpv4", BAD],
      ["dns", BAD],
      ["portMapping", BAD],
    ]);
    expect(facts.filter(isShown).map(({ code }) => code)).toEqual(["networkRoute"]);
    for (const code of ["egressIpv4", "dns", "portMapping"]) {
      expect(facts.find((fact) => fact.code === code)?.silencedBy).toBe("networkRoute");
    }
  });

  it("never hides a root: whatever is bad, something bad is shown, and each silence names what is shown", () => {
    fc.assert(
      fc.property(verdicts, (given) => {
        const { facts } = judge(HEALTH_FACTS, remember(new Map(), given, START), LONG_AFTER_MS);
        const bad = facts.filter(({ state }) => state === "bad");
        expect(facts.some(isShown)).toBe(bad.length > 0);
        for (const { silencedBy } of bad) {
          if (silencedBy === undefined) continue;
          const root = facts.find(({ code }) => code === silencedBy);
          expect(root?.state).toBe("bad");
          expect(root?.silencedBy).toBeUndefined();
        }
        for (const fact of facts) {
          healthFactSchema.parse(fact);
          expect(fact.error !== undefined).toBe(fact.state === "bad");
        }
      }),
    );
  });
});

describe("the overall word", () => {
  it("is never bad or attention for want of knowledge", () => {
    fc.assert(
      fc.property(verdicts, (given) => {
        const { facts } = judge(HEALTH_FACTS, remember(new Map(), given, START), LONG_AFTER_MS);
        const overall = overallOf(facts);
        const isBad = facts.some(({ state }) => state === "bad");
        expect(overall === "bad" || overall === "attention").toBe(isBad);
      }),
    );
    expect(overallOf(judge(HEALTH_FACTS, remember(new Map(), all({ state: "unknown" }), START), 0).facts)).toBe(
      "unknown",
    );
  });

  it("is attention for warnings, bad for what cuts guests off or is an error, good and off otherwise", () => {
    expect(overallOf(judged([["disk", BAD]]).facts)).toBe("attention");
    expect(overallOf(judged([["helper", BAD]]).facts)).toBe("bad");
    expect(overallOf(judged([["nat", BAD]]).facts)).toBe("bad");
    expect(overallOf(judged([]).facts)).toBe("good");
    expect(overallOf(judged([["reachability", { state: "unknown" }]]).facts)).toBe("good");
    expect(overallOf(judge(HEALTH_FACTS, remember(new Map(), all({ state: "off" }), START), 0).facts)).toBe("off");
    expect(overallOf([])).toBe("unknown");
  });
});

describe("a fact that waits", () => {
  it("is shown when it has been bad for long enough, and not before", () => {
    const early = judged([["nat", BAD]], 100);
    expect(early.facts.some(isShown)).toBe(false);
    expect(overallOf(early.facts)).toBe("good");
    expect(early.showAtMs).toBe(HEALTH_FACTS.find(({ code }) => code === "nat")?.waitMs);
    const later = judged([["nat", BAD]], early.showAtMs);
    expect(later.facts.filter(isShown)).toHaveLength(1);
    expect(later.showAtMs).toBeUndefined();
  });

  it("waits from when it turned bad, also when the reason has changed since", () => {
    const first = remember(new Map(), new Map<HealthFactCode, HealthVerdict>([["nat", BAD]]), START);
    const other: HealthVerdict = { state: "bad", error: { code: "other", message: "Another reason." } };
    const second = remember(first, new Map([["nat" as const, other]]), {
      wall: "2026-01-01T01:00:00.000Z",
      monotonicMs: 9,
    });
    expect(second.get("nat")).toEqual({ verdict: other, since: START.wall, sinceMs: 0 });
  });
});
