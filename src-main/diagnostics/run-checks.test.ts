import { describe, expect, it } from "vitest";
import { diagnosisSchema } from "../../src-shared/model/diagnosis.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { allChecks } from "./all-checks.ts";
import { type Check, failed, pass, skipped, type Verdict, warn } from "./check.ts";
import { runChecks } from "./run-checks.ts";
import { alone, unprivileged } from "./testing/check-context.ts";

function check(id: string, run: Check["run"]): Check {
  return { id, group: "system", title: id, run };
}

function giving(verdict: Verdict): Check {
  return check("system.test", () => verdict);
}

function options(clock = new FakeClock(), signal = new AbortController().signal) {
  return { clock, version: "1", nodePhase: null, signal };
}

describe("runChecks", () => {
  it.each<[string, Verdict[], "pass" | "fail"]>([
    ["nothing but passes", [pass("a"), pass("b")], "pass"],
    ["warnings and skipped ones", [warn("a", "b"), skipped("c")], "pass"],
    ["one that failed", [pass("a"), failed("b", "c"), pass("d")], "fail"],
    ["no checks", [], "pass"],
  ])("gives an outcome of fail exactly where one failed: %s", async (_, verdicts, outcome) => {
    const diagnosis = await runChecks(verdicts.map(giving), alone(), options());
    expect(diagnosis.outcome).toBe(outcome);
    expect(diagnosis.checks.map((one) => one.outcome)).toEqual(verdicts.map((one) => one.outcome));
    diagnosisSchema.parse(diagnosis);
  });

  it("fails a check that does not answer in time, stops it, and does not wait for it", async () => {
    const clock = new FakeClock();
    let stopped = false;
    const slow = check("system.slow", (_, signal) => {
      signal.addEventListener("abort", () => {
        stopped = true;
      });
      return new Promise(() => {});
    });
    const running = runChecks([slow, giving(pass("quick"))], alone(), options(clock));
    await clock.advance(4_000);
    const { checks } = await running;
    expect(checks).toMatchObject([
      { id: "system.slow", outcome: "fail", detail: "No answer within 4 s.", durationMs: 4_000 },
      { outcome: "pass", durationMs: 0 },
    ]);
    expect(stopped).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it.each<[string, Check["run"]]>([
    [
      "throws",
      () => {
        throw new Error("a mistake");
      },
    ],
    ["rejects", () => Promise.reject(new Error("a mistake"))],
  ])("fails a check that %s, and runs the others", async (_, run) => {
    const { checks } = await runChecks([check("system.broken", run), giving(pass("fine"))], alone(), options());
    expect(checks).toMatchObject([
      { outcome: "fail", detail: "The check itself failed: a mistake" },
      { outcome: "pass" },
    ]);
  });

  it("tells of each check as it ends, and lists them in the order in which they are shown", async () => {
    const second = Promise.withResolvers<Verdict>();
    const told: string[] = [];
    const running = runChecks(
      [check("system.second", () => second.promise), check("system.first", () => pass("at once"))],
      alone(),
      { ...options(), onProgress: ({ done, total, check: one }) => told.push(`${done}/${total} ${one.id}`) },
    );
    await new Promise(setImmediate);
    expect(told).toEqual(["1/2 system.first"]);
    second.resolve(pass("late"));
    const { checks } = await running;
    expect(told).toEqual(["1/2 system.first", "2/2 system.second"]);
    expect(checks.map(({ id }) => id)).toEqual(["system.second", "system.first"]);
  });

  it("says of a check that was cut short that it did not run to its end", async () => {
    const clock = new FakeClock();
    const caller = new AbortController();
    const running = runChecks(
      [check("system.slow", () => new Promise(() => {}))],
      alone(),
      options(clock, caller.signal),
    );
    await new Promise(setImmediate);
    caller.abort();
    expect((await running).checks).toMatchObject([{ outcome: "skipped" }]);
    expect(clock.pending).toBe(0);
  });

  it("begins none for somebody who has gone", async () => {
    let begun = 0;
    const counted = check("system.counted", () => {
      begun++;
      return pass("");
    });
    const { checks } = await runChecks([counted], alone(), options(new FakeClock(), AbortSignal.abort()));
    expect(checks).toMatchObject([{ outcome: "skipped" }]);
    expect(begun).toBe(0);
  });
});

/** Checks that look at what everybody can see. */
const NEED_NO_ROOT = [
  "system.privileges",
  "system.storage",
  "system.clock",
  "network.dns",
  "network.egress4",
  "network.egress6",
  "dns.upstream",
  "privacy.retention",
  "privacy.anonymous",
  "privacy.permitted",
  "storage.database",
  "storage.space",
  "storage.permissions",
];

describe("all checks", () => {
  it("have ids that are unique and begin with their group", () => {
    expect(new Set(allChecks.map(({ id }) => id)).size).toBe(allChecks.length);
    for (const { id, group } of allChecks) expect(id.split(".")[0]).toBe(group);
  });

  it("say that they did not look where root's view is missing", async () => {
    const needRoot = allChecks.filter(({ id }) => !NEED_NO_ROOT.includes(id));
    const { checks } = await runChecks(needRoot, unprivileged(), options());
    expect(checks.filter(({ outcome }) => outcome !== "skipped")).toEqual([]);
    expect(checks.length).toBeGreaterThan(10);
    for (const { detail } of checks) expect(detail).not.toBe("");
  });
});
