import { describe, expect, it } from "vitest";
import type { ClientLimit, Schedule } from "../../src-shared/model/limit.ts";
import { effectiveLimit, isWithin } from "./effective-limit.ts";
import { quotaPeriodOf } from "./quota-period.ts";

const at = (iso: string) => Date.parse(iso);

function berlin(days: Schedule["windows"][number]["days"], from: string, to: string): Schedule {
  return { timeZone: "Europe/Berlin", outside: "unlimited", windows: [{ days, from, to }] };
}

describe("a weekly schedule", () => {
  it("follows the clock on the wall of its zone, in summer and in winter", () => {
    const evening = berlin(["mon"], "18:00", "23:00");
    // Berlin is two hours ahead of UTC in July and one in January.
    expect(isWithin(evening, at("2026-07-06T15:59:59Z"))).toBe(false);
    expect(isWithin(evening, at("2026-07-06T16:00:00Z"))).toBe(true);
    expect(isWithin(evening, at("2026-07-06T20:59:59Z"))).toBe(true);
    expect(isWithin(evening, at("2026-07-06T21:00:00Z"))).toBe(false);
    expect(isWithin(evening, at("2026-01-05T16:59:59Z"))).toBe(false);
    expect(isWithin(evening, at("2026-01-05T17:00:00Z"))).toBe(true);
  });

  it("has no window in an hour that daylight saving leaves out", () => {
    const skipped = berlin(["sun"], "02:00", "03:00");
    const night = Array.from({ length: 240 }, (_, minute) => at("2026-03-28T23:00:00Z") + minute * 60_000);
    expect(night.some((nowMs) => isWithin(skipped, nowMs))).toBe(false);
  });

  it("has a window twice as long in an hour that comes twice", () => {
    const twice = berlin(["sun"], "02:00", "03:00");
    const night = Array.from({ length: 300 }, (_, minute) => at("2026-10-24T22:00:00Z") + minute * 60_000);
    expect(night.filter((nowMs) => isWithin(twice, nowMs))).toHaveLength(120);
  });

  it("knows the day of its zone and not that of UTC", () => {
    const kiritimati: Schedule = { ...berlin(["mon"], "00:00", "24:00"), timeZone: "Pacific/Kiritimati" };
    expect(isWithin(kiritimati, at("2026-07-05T10:00:00Z"))).toBe(true);
    expect(isWithin(kiritimati, at("2026-07-05T09:59:00Z"))).toBe(false);
  });
});

describe("the month of a quota", () => {
  it.each([
    ["2026-11-14T12:00:00Z", 15, "UTC", "2026-10-15"],
    ["2026-11-15T00:00:00Z", 15, "UTC", "2026-11-15"],
    ["2026-01-05T12:00:00Z", 31, "UTC", "2025-12-31"],
    ["2026-02-28T12:00:00Z", 31, "UTC", "2026-02-28"],
    ["2028-02-28T12:00:00Z", 30, "UTC", "2028-01-30"],
    ["2028-02-29T12:00:00Z", 30, "UTC", "2028-02-29"],
    ["2026-03-01T12:00:00Z", 31, "UTC", "2026-02-28"],
    // Midnight in Berlin is still the day before in UTC.
    ["2026-06-30T22:00:00Z", 1, "Europe/Berlin", "2026-07-01"],
    ["2026-06-30T21:59:59Z", 1, "Europe/Berlin", "2026-06-01"],
  ])("at %s with reset day %d in %s began on %s", (iso, resetDay, timeZone, began) => {
    expect(quotaPeriodOf(at(iso), { resetDay, timeZone })).toBe(began);
  });
});

describe("what holds at a moment", () => {
  const quota = { bytes: 1_000_000, resetDay: 1, timeZone: "UTC" } as const;
  const nowMs = at("2026-07-06T19:00:00Z");
  const off = { down: undefined, up: undefined };

  it.each<[string, ClientLimit, number, unknown]>([
    ["rates", { down: "5mbit" }, 0, { state: "limited", down: 5e6, up: undefined }],
    ["nothing but a priority", { priority: 9 }, 0, { state: "unlimited", ...off }],
    ["a quota with some left", { quota: { ...quota, action: "pause" } }, 999_999, { state: "unlimited", ...off }],
    ["a quota that is used", { quota: { ...quota, action: "pause" } }, 1_000_000, { state: "paused-by-quota", ...off }],
    [
      "a used quota that slows, beside a slower limit",
      { up: "64kbit", quota: { ...quota, action: { slow: "256kbit" } } },
      2e6,
      { state: "slowed", down: 256e3, up: 64e3 },
    ],
    [
      "a schedule that is open",
      { down: "1mbit", schedule: berlin(["mon"], "20:00", "22:00") },
      0,
      { state: "limited", down: 1e6, up: undefined },
    ],
    [
      "a schedule that is closed",
      { down: "1mbit", schedule: berlin(["tue"], "20:00", "22:00") },
      0,
      { state: "unlimited", ...off },
    ],
    [
      "a closed schedule that pauses",
      { down: "1mbit", schedule: { ...berlin(["tue"], "20:00", "22:00"), outside: "pause" } },
      0,
      { state: "paused-by-schedule", ...off },
    ],
  ])("with %s", (_, limit, usedBytes, expected) => {
    expect(effectiveLimit(limit, usedBytes, nowMs)).toEqual(expected);
  });
});
