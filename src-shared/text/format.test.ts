import { describe, expect, it } from "vitest";
import {
  asSentence,
  formatAgo,
  formatBitRate,
  formatBytes,
  formatDate,
  formatDateTime,
  formatDecimalBytes,
  formatDuration,
  formatIn,
  formatNumber,
  formatPercent,
  formatRate,
  formatTime,
} from "./format.ts";

describe("sizes", () => {
  it.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [1536, "1.5 KiB"],
    [102_300, "99.9 KiB"],
    [102_400, "100 KiB"],
    [1_048_575, "1.0 MiB"],
    [1_300_000, "1.2 MiB"],
    [5 * 1024 ** 4, "5.0 TiB"],
    [5000 * 1024 ** 5, "5000 PiB"],
    [-1, "0 B"],
  ])("%d bytes read %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe("times", () => {
  it.each([
    [0, "a moment"],
    [-5_000, "a moment"],
    [1_000, "1 second"],
    [59_999, "59 seconds"],
    [60_000, "1 minute"],
    [7_200_000, "2 hours"],
    [86_400_000, "1 day"],
    [40 * 86_400_000, "40 days"],
  ])("%d ms read %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it("are told from now, and a clock set back shows nothing odd", () => {
    const nowMs = Date.UTC(2026, 0, 1, 12);
    expect(formatAgo("2026-01-01T11:57:00.000Z", nowMs)).toBe("3 minutes ago");
    expect(formatAgo("2026-01-01T12:00:00.000Z", nowMs)).toBe("just now");
    expect(formatAgo("2026-01-01T13:00:00.000Z", nowMs)).toBe("just now");
  });
});

describe("sentences", () => {
  it.each([
    ["the rules are gone", "The rules are gone."],
    ["The rules are gone.", "The rules are gone."],
    ["why? ", "Why?"],
    ["", ""],
  ])("%j becomes %j", (message, sentence) => {
    expect(asSentence(message)).toBe(sentence);
  });
});

describe("rates", () => {
  it.each([
    [0, "0 bit/s"],
    [999, "999 bit/s"],
    [1_000, "1.0 kbit/s"],
    [99_960, "100 kbit/s"],
    [999_600, "1.0 Mbit/s"],
    [12_500_000, "12.5 Mbit/s"],
    [5e12, "5000 Gbit/s"],
  ])("%d bits per second read %s", (bits, text) => {
    expect(formatBitRate(bits)).toBe(text);
  });

  it("are told in bits where bytes are counted", () => {
    expect(formatRate(1_250_000)).toBe("10.0 Mbit/s");
  });
});

describe("amounts of a quota", () => {
  it("are told in the units in which they were given", () => {
    expect(formatDecimalBytes(50e9)).toBe("50.0 GB");
    expect(formatDecimalBytes(999_999_999_999)).toBe("1.0 TB");
  });
});

describe("Russian", () => {
  const nowMs = Date.UTC(2026, 0, 1, 12);
  /** Spaces that do not break are spaces to a reader. */
  const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, " ");

  it("has its own units, a comma, and no break between number and unit", () => {
    expect(formatBytes(1536, "ru")).toBe("1,5\u00a0КиБ");
    expect(formatBitRate(12_500_000, "ru")).toBe("12,5\u00a0Мбит/с");
    expect(plain(formatPercent(0.8, "ru"))).toBe("80 %");
    expect(plain(formatNumber(12_345.6, "ru"))).toBe("12 345,6");
  });

  it.each([
    [1, "1 минуту назад"],
    [3, "3 минуты назад"],
    [5, "5 минут назад"],
    [21, "21 минуту назад"],
  ])("tells %i minutes ago", (minutes, text) => {
    expect(plain(formatAgo(new Date(nowMs - minutes * 60_000).toISOString(), nowMs, "ru"))).toBe(text);
  });

  it("tells durations and times to come", () => {
    expect(plain(formatDuration(2 * 3_600_000, "ru"))).toBe("2 часа");
    expect(formatDuration(0, "ru")).toBe("мгновение");
    expect(plain(formatIn("2026-01-01T12:05:00.000Z", nowMs, "ru"))).toBe("через 5 минут");
    expect(formatIn("2026-01-01T11:05:00.000Z", nowMs, "ru")).toBe("только что");
  });
});

describe("dates", () => {
  const at = "2026-11-22T16:45:10.000Z";

  it("name the month, so that nobody takes the day for it", () => {
    expect(formatDate(at, "en", "UTC")).toBe("22 Nov 2026");
    expect(formatDate(at, "ru", "UTC")).toMatch(/^22 нояб\. 2026/);
  });

  it("have 24 hours in both languages, in the zone that is asked for", () => {
    expect(formatTime(at, "en", "Europe/Moscow")).toBe("19:45");
    expect(formatTime(at, "ru", "UTC")).toBe("16:45");
    expect(formatDateTime(at, "en", "UTC")).toBe("22 Nov 2026, 16:45:10");
  });

  it("can lie ahead", () => {
    expect(formatIn(at, Date.parse(at) - 7_200_000)).toBe("in 2 hours");
  });
});
