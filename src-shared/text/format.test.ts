import { describe, expect, it } from "vitest";
import { asSentence, formatAgo, formatBytes, formatDuration } from "./format.ts";

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
