import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { changeLimit, formatRate, parseRate, parseSize, ratePairSchema } from "./limit.ts";
import { settingsSchema } from "./settings.ts";

describe("a rate", () => {
  it.each([
    ["256kbit", 256_000],
    ["10mbit", 10_000_000],
    ["10Mbit", 10_000_000],
    ["2.5mbit", 2_500_000],
    ["1gbit", 1_000_000_000],
    ["8kbit", 8_000],
  ])("is read as tc writes it: %s", (text, bits) => {
    expect(parseRate(text)).toEqual({ ok: true, value: bits });
  });

  it.each([
    "10mbit; rm -rf /",
    "-1",
    "0",
    "0mbit",
    "1e9gbit",
    "999999999gbit",
    "NaN",
    "Infinitymbit",
    "10",
    "10mbps",
    "10MB",
    "10 mbit",
    " 10mbit",
    "10mbit\n",
    "1kbit",
    "٣mbit",
    "",
  ])("that is none is refused: %j", (text) => {
    expect(parseRate(text)).toMatchObject({ ok: false, error: { code: "rate-invalid" } });
  });

  it("is written so that it is read back as the same, in any unit", () => {
    fc.assert(
      fc.property(fc.integer({ min: 8, max: 100_000_000 }), (kbit) => {
        expect(parseRate(formatRate(kbit * 1000))).toEqual({ ok: true, value: kbit * 1000 });
      }),
    );
  });

  it("never makes more of a text than a number in range, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), (text) => {
        const parsed = parseRate(text);
        if (parsed.ok) expect(text).toMatch(/^[0-9.]+[kmg]bit$/i);
      }),
    );
  });
});

describe("an amount of data", () => {
  it.each([
    ["50GB", 50e9],
    ["20mb", 20e6],
    ["1.5TB", 1.5e12],
    ["1GiB", 1_073_741_824],
  ])("%s", (text, bytes) => {
    expect(parseSize(text)).toEqual({ ok: true, value: bytes });
  });

  it.each(["50", "GB", "-5GB", "1KB", "5kb", "9999TB", "1e3GB"])("%j is none", (text) => {
    expect(parseSize(text)).toMatchObject({ ok: false, error: { code: "quota-invalid" } });
  });
});

describe("a change of a limit", () => {
  const present = { down: "5mbit", priority: 3 };

  it("keeps what is not mentioned and removes what is null", () => {
    expect(changeLimit(present, { up: "2000kbit" })).toEqual({ ok: true, value: { ...present, up: "2mbit" } });
    expect(changeLimit(present, { down: null })).toEqual({ ok: true, value: { priority: 3 } });
  });

  const schedule = (...windows: [days: string[], from: string, to: string][]) => ({
    timeZone: "Europe/Berlin",
    windows: windows.map(([days, from, to]) => ({ days, from, to })),
  });
  const quota = { bytes: 5e9, action: "pause", resetDay: 1, timeZone: "UTC" };

  it.each([
    [{ priority: 0 }, "priority-invalid"],
    [{ priority: 11 }, "priority-invalid"],
    [{ priority: 2.5 }, "priority-invalid"],
    [{ burstBytes: 10 }, "burst-invalid"],
    [{ schedule: schedule([["mon"], "18:00", "09:00"]) }, "schedule-invalid"],
    [{ schedule: schedule([["mon"], "18:00", "18:00"]) }, "schedule-invalid"],
    [{ schedule: schedule([["mon", "tue"], "09:00", "12:00"], [["tue"], "11:59", "13:00"]) }, "schedule-invalid"],
    [{ schedule: schedule([["mon"], "09:00", "24:01"]) }, "schedule-invalid"],
    [{ schedule: schedule([["monday"], "09:00", "10:00"]) }, "schedule-invalid"],
    [{ schedule: schedule() }, "schedule-invalid"],
    [{ schedule: { ...schedule([["mon"], "09:00", "10:00"]), timeZone: "Europe/Atlantis" } }, "schedule-invalid"],
    [{ quota: { ...quota, resetDay: 32 } }, "quota-invalid"],
    [{ quota: { ...quota, action: "shout" } }, "quota-invalid"],
    [{ quota: { ...quota, action: { slow: "fast" } } }, "quota-invalid"],
    [{ quota: { ...quota, bytes: -1 } }, "quota-invalid"],
  ])("%j is refused with one code", (changes, code) => {
    expect(changeLimit(present, changes)).toMatchObject({ ok: false, error: { code } });
  });

  it("takes windows that touch, and several on a day", () => {
    const windows = schedule([["sat", "sun"], "00:00", "12:00"], [["sat"], "12:00", "24:00"]);
    expect(changeLimit({}, { schedule: windows }).ok).toBe(true);
  });
});

describe("settings for all guests together", () => {
  it.each([
    ["100mbit/20mbit", { down: "100mbit", up: "20mbit" }],
    ["-/20mbit", { down: null, up: "20mbit" }],
    [
      { down: "1000kbit", up: null },
      { down: "1mbit", up: null },
    ],
  ])("%j", (given, kept) => {
    expect(ratePairSchema.parse(given)).toEqual(kept);
    expect(settingsSchema.parse({ totalRate: given }).totalRate).toEqual(kept);
  });

  it.each(["100mbit", "100mbit/20mbit/5mbit", "a/b", ""])("%j is refused", (given) => {
    expect(ratePairSchema.safeParse(given).success).toBe(false);
  });
});
