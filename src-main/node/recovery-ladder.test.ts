import { describe, expect, it } from "vitest";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import {
  LEAST_BETWEEN_MS,
  LONGEST_WAIT_MS,
  RecoveryLadder,
  type RecoveryLine,
  waitAfterMs,
} from "./recovery-ladder.ts";

const REFUSED = { code: "firewall-refused", message: "No." };

function ladder() {
  const clock = new FakeClock();
  const lines: RecoveryLine[] = [];
  const due: number[] = [];
  const made = new RecoveryLadder({
    clock,
    onDue: () => void due.push(clock.monotonicMs()),
    onChange: () => {},
    report: (line) => void lines.push(line),
  });
  return { clock, lines, due, ladder: made };
}

describe("the waits of a recovery", () => {
  it("grow from nothing to five minutes, and no further", () => {
    const waits = Array.from({ length: 200 }, (_, failures) => waitAfterMs(failures));
    expect(waits.slice(0, 8)).toEqual([0, 500, 2_000, 10_000, 20_000, 40_000, 80_000, 160_000]);
    expect(Math.max(...waits)).toBe(LONGEST_WAIT_MS);
    for (const [index, wait] of waits.entries()) expect(wait).toBeGreaterThanOrEqual(waits[index - 1] ?? 0);
  });
});

describe("a recovery", () => {
  it("is told step by step, and with its whole length when it has worked", async () => {
    const rig = ladder();
    rig.ladder.begin("nat");
    rig.ladder.start("apply");
    await rig.clock.advance(100);
    rig.ladder.failed(REFUSED);
    await rig.clock.advance(500);
    expect(rig.due).toEqual([600]);
    rig.ladder.start("restart-helper");
    await rig.clock.advance(50);
    rig.ladder.succeeded();
    expect(rig.lines).toEqual([
      { kind: "recovery-step", fact: "nat", step: "apply", attempt: 1, error: REFUSED, durationMs: 100 },
      { kind: "recovery-step", fact: "nat", step: "restart-helper", attempt: 2, error: null, durationMs: 50 },
      { kind: "recovered", fact: "nat", step: "restart-helper", attempt: 2, error: null, durationMs: 650 },
    ]);
    expect(rig.ladder.state).toEqual({ state: "idle" });
    expect(rig.clock.pending).toBe(0);
  });

  it("keeps its first cause, whatever else is said to have failed meanwhile", () => {
    const rig = ladder();
    rig.ladder.begin("nat");
    rig.ladder.start("apply");
    rig.ladder.begin("helper");
    expect(rig.ladder.state).toMatchObject({ cause: "nat" });
  });

  it("is exhausted after three failures, and told so once", () => {
    const rig = ladder();
    rig.ladder.begin("nat");
    for (let attempt = 1; attempt <= 5; attempt++) {
      expect(rig.ladder.exhausted).toBe(attempt > 3);
      rig.ladder.start("apply");
      rig.ladder.failed(REFUSED);
    }
    expect(rig.lines.filter(({ kind }) => kind === "recovery-failed")).toHaveLength(1);
  });

  it("begins anew when there is hope, but never sooner than after a short rest", async () => {
    const rig = ladder();
    rig.ladder.begin("networkRoute", { slowly: true });
    expect(rig.ladder.hasten()).toBe(true);
    rig.ladder.start("apply");
    rig.ladder.failed(REFUSED);
    for (let event = 0; event < 50; event++) expect(rig.ladder.hasten()).toBe(false);
    await rig.clock.advance(LEAST_BETWEEN_MS);
    expect(rig.due).toEqual([LEAST_BETWEEN_MS]);
  });

  it("says nothing when it is reset in the middle of an attempt", () => {
    const rig = ladder();
    rig.ladder.begin("nat");
    rig.ladder.start("apply");
    rig.ladder.reset();
    rig.ladder.failed(REFUSED);
    rig.ladder.succeeded();
    expect(rig.lines).toEqual([]);
    expect(rig.clock.pending).toBe(0);
  });
});
