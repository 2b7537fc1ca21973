import { describe, expect, it } from "vitest";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { CrashBudget } from "./crash-budget.ts";

describe("a budget of crashes", () => {
  it("forgives so many within its time, and all again later", async () => {
    const clock = new FakeClock();
    const budget = new CrashBudget(clock, 2, 60_000);
    expect([budget.spend(), budget.spend(), budget.spend()]).toEqual([true, true, false]);
    await clock.advance(60_000);
    expect(budget.spend()).toBe(true);
  });
});
