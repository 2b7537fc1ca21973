import { describe, expect, it } from "vitest";
import type { ClassCounters, ObservedLimit } from "../../src-shared/network-observation.ts";
import { fail, ok } from "../../src-shared/result.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { testLimit } from "./limit-test.ts";

function counters(bytes: number, more: Partial<ClassCounters> = {}): ClassCounters {
  return { bytes, packets: 0, dropped: 0, backlogBytes: 0, ...more };
}

async function tested(down: ClassCounters | null, limit = 5_000_000) {
  const clock = new FakeClock();
  const readings: ObservedLimit[] = [
    { atMs: 0, down: counters(1_000), up: null },
    { atMs: 0, down, up: null },
  ];
  const running = testLimit({
    clock,
    seconds: 4,
    limits: { down: limit, up: undefined },
    read: async () => {
      const reading = readings.shift();
      return reading === undefined ? fail("none", "No reading is left.") : ok(reading);
    },
  });
  await clock.advance(4_000);
  return running;
}

/** Bytes that `share` of 5 Mbit/s makes in four seconds, headers allowed for. */
const bytesAt = (share: number) => Math.round((share * 5_125_000 * 4) / 8) + 1_000;

describe("`limit test`", () => {
  it.each([
    ["at its limit", bytesAt(1), {}, "holds"],
    ["a little below it", bytesAt(0.91), {}, "holds"],
    ["above it by more than a tenth", bytesAt(1.11), {}, "off"],
    ["below it by more than a tenth, though more waits", bytesAt(0.89), { backlogBytes: 3_000 }, "off"],
    ["below it by more than a tenth, though packets were lost", bytesAt(0.5), { dropped: 1 }, "off"],
    ["below it because nobody asks for more", bytesAt(0.5), {}, "idle"],
    ["without any traffic", 1_000, {}, "idle"],
  ] as const)("says of a client %s what can be said", async (_, bytes, more, verdict) => {
    expect(await tested(counters(bytes, more))).toMatchObject({ ok: true, value: { down: { verdict }, up: null } });
  });

  it("says what it measured in the words of a limit", async () => {
    expect(await tested(counters(bytesAt(1)))).toMatchObject({
      value: { down: { limit: "5mbit", measured: "5mbit", measuredBitsPerSecond: 5_000_000 } },
    });
  });

  it("does not judge what is not in the kernel, or was made anew meanwhile", async () => {
    expect(await tested(null)).toMatchObject({ ok: false, error: { code: "limit-not-in-place" } });
    expect(await tested(counters(0))).toMatchObject({ ok: false, error: { code: "limit-not-in-place" } });
  });
});
