import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { diagnosisGroupSchema, selfTestStageSchema } from "../../../src-shared/model/diagnosis.ts";
import {
  HEALTH_NOT_LOOKED,
  type HealthFact,
  type HealthFactCode,
  healthEventSchema,
  healthFactCodeSchema,
} from "../../../src-shared/model/health.ts";
import { LANGUAGES } from "../../../src-shared/text/language.ts";
import { createTranslator } from "../../../src-shared/text/translate.ts";
import { factState, healthAnswer, healthRows, knownStep, RECOVERY_STEPS } from "./health-view.ts";

const since = "2026-01-01T12:00:00.000Z";
const error = { code: "x", message: "x" };

function fact(code: HealthFactCode, changes: Partial<HealthFact> = {}): HealthFact {
  return { code, severity: "error", cutsConnectivity: true, state: "good", since, waiting: false, ...changes };
}

function bad(code: HealthFactCode, silencedBy?: HealthFactCode): HealthFact {
  return fact(code, { state: "bad", error, ...(silencedBy === undefined ? {} : { silencedBy }) });
}

describe("facts as rows", () => {
  it("fold symptoms under their root cause, however long the chain", () => {
    const facts = [bad("networkRoute"), bad("egressIpv4", "networkRoute"), bad("dns", "egressIpv4"), fact("disk")];
    const { causes, others } = healthRows(facts);
    expect(causes.map((cause) => cause.fact.code)).toEqual(["networkRoute"]);
    expect(causes[0]?.symptoms.map(({ code }) => code)).toEqual(["egressIpv4", "dns"]);
    expect(others.map(({ code }) => code)).toEqual(["disk"]);
  });

  it("tell errors before warnings, and what may pass by itself last", () => {
    const facts = [
      fact("relay", { state: "bad", error, severity: "warning", cutsConnectivity: false }),
      fact("dns", { state: "bad", error, waiting: true }),
      bad("nat"),
    ];
    expect(healthRows(facts).causes.map((cause) => cause.fact.code)).toEqual(["nat", "relay", "dns"]);
  });

  it("show a symptom whose cause is not bad, or is not there", () => {
    const facts = [fact("networkRoute"), bad("dns", "networkRoute"), bad("egressIpv4", "wireguard")];
    expect(healthRows(facts).causes).toHaveLength(2);
  });

  it("lose no fault, whoever is said to be silenced by whom", () => {
    const codes = healthFactCodeSchema.options;
    const anyFact = fc.record({
      code: fc.constantFrom(...codes),
      silencedBy: fc.option(fc.constantFrom(...codes), { nil: undefined }),
      isBad: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.uniqueArray(anyFact, { selector: ({ code }) => code }), (given) => {
        const facts = given.map(({ code, silencedBy, isBad }) => (isBad ? bad(code, silencedBy) : fact(code)));
        const { causes, others } = healthRows(facts);
        const shown = [...causes.flatMap((cause) => [cause.fact, ...cause.symptoms]), ...others];
        expect(shown.map(({ code }) => code).sort()).toEqual(facts.map(({ code }) => code).sort());
      }),
    );
  });

  it("call a bad warning by another word than a bad error, and unknown neither", () => {
    expect(factState(bad("dns"))).toBe("bad");
    expect(factState(fact("dns", { state: "bad", severity: "warning" }))).toBe("warning");
    expect(factState(fact("dns", { state: "unknown" }))).toBe("unknown");
  });
});

describe("the answer", () => {
  const running = { state: "running", cause: "nat", step: "apply", attempt: 1, since } as const;

  it("tells a repair under way before the fault", () => {
    expect(healthAnswer({ ...HEALTH_NOT_LOOKED, overall: "bad", recovery: running })).toBe("recovering");
    expect(healthAnswer({ ...HEALTH_NOT_LOOKED, overall: "bad" })).toBe("bad");
    expect(healthAnswer({ ...HEALTH_NOT_LOOKED, overall: "good", recovery: running })).toBe("good");
  });

  it("does not say that everything works while a fault is too young to be told of", () => {
    const facts = [{ ...bad("dns"), waiting: true }];
    expect(healthAnswer({ ...HEALTH_NOT_LOOKED, overall: "good", facts })).toBe("noticed");
    expect(healthAnswer({ ...HEALTH_NOT_LOOKED, overall: "bad", facts })).toBe("bad");
  });

  it("has words for the steps it knows, and shows others as they come", () => {
    expect(knownStep("remap")).toBe("remap");
    expect(knownStep("dance")).toBeUndefined();
  });
});

describe.each(LANGUAGES)("texts in %s", (language) => {
  const t = createTranslator(language);
  const keys = [
    ...healthFactCodeSchema.options.flatMap((code) => [
      `health.facts.name.${code}` as const,
      `health.facts.meaning.${code}` as const,
    ]),
    ...healthEventSchema.shape.kind.options.map((kind) => `health.history.kind.${kind}` as const),
    ...diagnosisGroupSchema.options.map((group) => `health.diagnose.group.${group}` as const),
    ...selfTestStageSchema.options.map((stage) => `health.selfTest.stage.${stage}` as const),
    ...RECOVERY_STEPS.map((step) => `health.step.${step}` as const),
  ];

  it.each(keys)("%s", (key) => {
    expect(t(key)).not.toBe(key);
    expect(t(key)).not.toBe("");
  });
});
