import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { scheduleSchema } from "../../../../src-shared/model/limit.ts";
import { EMPTY_WEEK, FULL_WEEK, isHourly, weekOf, windowsOf, withCell } from "./schedule-cells.ts";

const week = fc.array(fc.array(fc.boolean(), { minLength: 24, maxLength: 24 }), { minLength: 7, maxLength: 7 });

describe("the hours of a week", () => {
  it("become windows and the same hours again, whatever is marked", () => {
    fc.assert(
      fc.property(week, (marked) => {
        expect(weekOf(windowsOf(marked))).toEqual(marked);
      }),
    );
  });

  it("share a window on days with the same hours", () => {
    expect(windowsOf(FULL_WEEK)).toEqual([
      { days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], from: "00:00", to: "24:00" },
    ]);
    expect(windowsOf(EMPTY_WEEK)).toEqual([]);
  });

  it("are windows that the node takes: none overlaps, and one may end at midnight", () => {
    const evening = withCell(withCell(EMPTY_WEEK, 4, 23, true), 4, 8, true);
    const schedule = { timeZone: "UTC", windows: windowsOf(evening), outside: "pause" };
    expect(schedule.windows).toEqual([
      { days: ["fri"], from: "08:00", to: "09:00" },
      { days: ["fri"], from: "23:00", to: "24:00" },
    ]);
    expect(scheduleSchema.safeParse(schedule).success).toBe(true);
  });

  it("are marked where at least half of an hour is in a window", () => {
    const windows = [{ days: ["mon" as const], from: "08:15", to: "18:20" }];
    const [monday] = weekOf(windows);
    expect(monday?.map((marked, hour) => (marked ? hour : -1)).filter((hour) => hour >= 0)).toEqual([
      8, 9, 10, 11, 12, 13, 14, 15, 16, 17,
    ]);
    expect(isHourly({ timeZone: "UTC", windows, outside: "pause" })).toBe(false);
  });
});
