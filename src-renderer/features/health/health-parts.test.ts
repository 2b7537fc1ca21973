import { describe, expect, it } from "vitest";
import type { CheckResult } from "../../../src-shared/model/diagnosis.ts";
import type { HealthEvent } from "../../../src-shared/model/health.ts";
import { countOutcomes, groupChecks } from "./diagnosis-view.ts";
import { groupEvents, mergeEvents } from "./history-view.ts";
import { parseTrace } from "./trace-form.ts";
import { traceAnswer } from "./trace-view.ts";
import { honestFraction, uptimeOf } from "./uptime-view.ts";

function check(id: string, group: CheckResult["group"], outcome: CheckResult["outcome"]): CheckResult {
  return { id, group, title: id, outcome, detail: "x", durationMs: 1 };
}

describe("results of the checks", () => {
  const checks = [
    check("dns.a", "dns", "pass"),
    check("system.a", "system", "skipped"),
    check("dns.b", "dns", "fail"),
    check("nat.a", "nat", "warn"),
  ];

  it("stand in the groups of the model, the worst first within each", () => {
    expect(groupChecks(checks, false).map(({ group, outcome }) => [group, outcome])).toEqual([
      ["system", "skipped"],
      ["nat", "warn"],
      ["dns", "fail"],
    ]);
    expect(groupChecks(checks, false)[2]?.checks.map(({ id }) => id)).toEqual(["dns.b", "dns.a"]);
  });

  it("can be narrowed to what wants attention", () => {
    expect(groupChecks(checks, true).map(({ group }) => group)).toEqual(["nat", "dns"]);
    expect(countOutcomes(checks)).toEqual({ pass: 1, warn: 1, fail: 1, skipped: 1 });
  });
});

describe("uptime", () => {
  it("counts only the time in which sharing was wanted", () => {
    const view = uptimeOf([
      { day: "2026-01-03", wantedSeconds: 1000, workingSeconds: 900 },
      { day: "2026-01-02", wantedSeconds: 0, workingSeconds: 0 },
      { day: "2026-01-01", wantedSeconds: 3000, workingSeconds: 3000 },
    ]);
    expect(view.bars.map(({ day, fraction }) => [day, fraction])).toEqual([
      ["2026-01-01", 1],
      ["2026-01-02", null],
      ["2026-01-03", 0.9],
    ]);
    expect(view.fraction).toBeCloseTo(0.975);
    expect(uptimeOf([]).fraction).toBeNull();
  });

  it.each([
    [1, 1],
    [0.99999, 0.999],
    [0.00001, 0.001],
    [0, 0],
    [0.9754, 0.975],
  ])("never rounds a fault away: %d", (fraction, shown) => {
    expect(honestFraction(fraction)).toBe(shown);
  });
});

describe("the form of the trace", () => {
  it("becomes a query", () => {
    expect(parseTrace({ client: "c1", to: " [2001:db8::5] ", port: "443", protocol: "udp" })).toEqual({
      ok: true,
      query: { client: "c1", to: "2001:db8::5", port: 443, protocol: "udp" },
    });
  });

  it("names every field that is wrong", () => {
    const parsed = parseTrace({ client: "", to: "example.org", port: "0", protocol: "tcp" });
    expect(parsed).toEqual({ ok: false, wrong: new Set(["client", "to", "port"]) });
    expect(parseTrace({ client: "c", to: "203.0.113.5", port: "4 43", protocol: "tcp" })).toEqual({
      ok: false,
      wrong: new Set(["port"]),
    });
  });
});

describe("the history", () => {
  function event(id: number, kind: HealthEvent["kind"] = "unhealthy"): HealthEvent {
    const at = "2026-01-01T12:00:00.000Z";
    return { id, at, kind, fact: null, error: null, step: null, attempt: null, durationMs: null };
  }

  it("has each line once, newest first, wherever it came from", () => {
    const merged = mergeEvents([event(5), event(4, "recovered")], [event(3), event(4)]);
    expect(merged.map(({ id, kind }) => [id, kind])).toEqual([
      [5, "unhealthy"],
      [4, "recovered"],
      [3, "unhealthy"],
    ]);
  });

  it("tells attempts at one repair in a row as one line, and a repeated error once", () => {
    const error = { code: "x", message: "no route" };
    const dns = (id: number, kind: HealthEvent["kind"]) => ({ ...event(id, kind), fact: "dns" as const });
    const groups = groupEvents([
      dns(9, "recovery-failed"),
      dns(8, "recovery-step"),
      dns(7, "recovery-failed"),
      dns(6, "recovery-step"),
      { ...dns(5, "unhealthy"), error },
      { ...dns(4, "unhealthy"), error },
      { ...event(3, "recovery-step"), fact: "relay" },
    ]);
    expect(groups.map(({ event: { id }, attempts, errorIsKnown }) => [id, attempts, errorIsKnown])).toEqual([
      [9, 2, false],
      [5, 0, false],
      [4, 0, true],
      [3, 1, false],
    ]);
  });
});

describe("what a trace says at first sight", () => {
  const trace = { reason: "x", steps: [] };
  const probe = (outcome: "answered" | "refused" | "silence" | "not-sent") => ({ outcome, detail: "x" });

  it("promises that a packet gets through only where a real one was answered", () => {
    expect(traceAnswer({ ...trace, verdict: "passes", probe: probe("answered") })).toBe("passes");
    expect(traceAnswer({ ...trace, verdict: "passes", probe: probe("refused") })).toBe("notHere");
    expect(traceAnswer({ ...trace, verdict: "passes", probe: probe("silence") })).toBe("notHere");
    expect(traceAnswer({ ...trace, verdict: "passes", probe: probe("not-sent") })).toBe("noneHere");
    expect(traceAnswer({ ...trace, verdict: "passes" })).toBe("noneHere");
  });

  it("keeps to the rules where they do not let it pass", () => {
    expect(traceAnswer({ ...trace, verdict: "blocked", probe: probe("silence") })).toBe("blocked");
    expect(traceAnswer({ ...trace, verdict: "unclear" })).toBe("unclear");
  });
});
