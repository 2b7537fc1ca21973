import { describe, expect, it } from "vitest";
import type { ShownLimit, ShownQuota } from "../../../../src-shared/model/limit.ts";
import { changesOf, formOf, type LimitForm, mbitOf } from "./limit-form.ts";
import { NO_LIMIT_STEP, RATE_STEPS_MBIT, stepOf, textOfStep } from "./rate-steps.ts";
import { FULL_WEEK, WORKING_WEEK } from "./schedule-cells.ts";

const ZONE = "Europe/Berlin";
const limit: ShownLimit = {
  state: "limited",
  down: "10mbit",
  up: "2500kbit",
  priority: 7,
  schedule: {
    timeZone: "Europe/Moscow",
    windows: [{ days: ["mon"], from: "08:15", to: "18:30" }],
    outside: "pause",
  },
};
const quota: ShownQuota = {
  bytes: 50e9,
  usedBytes: 1,
  action: { slow: "256kbit" },
  resetDay: 15,
  timeZone: "Europe/Moscow",
  since: "2026-11-15",
  exhausted: false,
};

function changed(changes: Partial<LimitForm>, client: Parameters<typeof formOf>[0] = {}) {
  return changesOf({ ...formOf(client), ...changes }, client, ZONE);
}

describe("the limit editor", () => {
  it("shows what holds", () => {
    expect(formOf({ limit, quota })).toMatchObject({
      down: "10",
      up: "2.5",
      priority: "7",
      hasQuota: true,
      amount: "50",
      atEnd: "slow",
      slowTo: "0.256",
      resetDay: "15",
      hasSchedule: true,
      outside: "pause",
    });
  });

  it("sends nothing that nobody touched, not even a schedule with minutes that the hours cannot show", () => {
    expect(changed({}, { limit, quota })).toEqual({ changes: {} });
    expect(changed({ down: "20" }, { limit, quota })).toEqual({ changes: { down: "20mbit" } });
  });

  it("reads a comma as well as a point, and an empty field as no limit", () => {
    expect(changed({ down: "2,5", up: " 100 " })).toEqual({ changes: { down: "2500kbit", up: "100mbit" } });
    expect(changed({ down: "" }, { limit })).toEqual({ changes: { down: null } });
  });

  it.each(["fast", "-1", "0.001", "1000000", "1e3", "10mbit"])("refuses %j as a speed", (down) => {
    expect(changed({ down })).toEqual({ mistakes: { down: "rate" } });
  });

  it("makes a quota, with the zone of the owner or the one it had", () => {
    expect(changed({ hasQuota: true, amount: "1,5", resetDay: "31" })).toEqual({
      changes: { quota: { bytes: 1.5e9, action: "pause", resetDay: 31, timeZone: ZONE } },
    });
    expect(changed({ amount: "60" }, { quota })).toEqual({
      changes: { quota: { bytes: 60e9, action: { slow: "256kbit" }, resetDay: 15, timeZone: "Europe/Moscow" } },
    });
    expect(changed({ hasQuota: false }, { quota })).toEqual({ changes: { quota: null } });
  });

  it("names every field of a quota that is wrong", () => {
    expect(changed({ hasQuota: true, amount: "x", resetDay: "32", atEnd: "slow", slowTo: "" })).toEqual({
      mistakes: { amount: "amount", resetDay: "day", slowTo: "rate" },
    });
  });

  it("makes a schedule of the marked hours", () => {
    expect(changed({ hasSchedule: true, week: WORKING_WEEK })).toEqual({
      changes: {
        schedule: {
          timeZone: ZONE,
          windows: [{ days: ["mon", "tue", "wed", "thu", "fri"], from: "08:00", to: "18:00" }],
          outside: "unlimited",
        },
      },
    });
    expect(changed({ hasSchedule: false }, { limit })).toEqual({ changes: { schedule: null } });
  });

  it("refuses a schedule without an hour, and one of more separate times than can be kept", () => {
    expect(changed({ hasSchedule: true })).toEqual({ mistakes: { week: "empty" } });
    const scattered = FULL_WEEK.map((hours, day) => hours.map((_, hour) => hour % (day + 2) !== 0));
    expect(changed({ hasSchedule: true, week: scattered })).toEqual({ mistakes: { week: "many" } });
  });

  it("sets and clears the priority", () => {
    expect(changed({ priority: "10" })).toEqual({ changes: { priority: 10 } });
    expect(changed({ priority: "" }, { limit })).toEqual({ changes: { priority: null } });
  });
});

describe("the speed slider", () => {
  it("has a place for each of its speeds, and no limit at its end", () => {
    for (const [at, mbit] of RATE_STEPS_MBIT.entries()) {
      expect(stepOf(mbit)).toBe(at);
      expect(mbitOf(textOfStep(at))).toBe(mbit);
    }
    expect(stepOf(undefined)).toBe(NO_LIMIT_STEP);
    expect(textOfStep(NO_LIMIT_STEP)).toBe("");
  });

  it("stands at the nearest place for any other speed", () => {
    expect(stepOf(0.008)).toBe(0);
    expect(RATE_STEPS_MBIT[stepOf(12)]).toBe(10);
    expect(RATE_STEPS_MBIT[stepOf(90_000)]).toBe(1000);
  });
});
