import { describe, expect, it } from "vitest";
import { z } from "zod";
import { describeZodError, errorOf, fail, HiggsFailure, higgsErrorSchema, ok, unwrap } from "./result.ts";

describe("results", () => {
  it("carry a failure through code that throws, unchanged", () => {
    const refused = fail("port-in-use", "UDP port 1 is used.", "Choose another.");
    expect(() => unwrap(refused)).toThrow(HiggsFailure);
    try {
      unwrap(refused);
    } catch (thrown) {
      expect(errorOf(thrown)).toEqual(refused.error);
    }
    expect(unwrap(ok(7))).toBe(7);
  });

  it.each([
    [new Error("disk full"), "disk full"],
    ["plain text", "plain text"],
    [undefined, "undefined"],
  ])("make an internal failure of %s", (thrown, message) => {
    expect(errorOf(thrown)).toEqual({ code: "internal", message });
  });

  it("have no hint where none was given, so that they cross JSON unchanged", () => {
    const { error } = fail("a-code", "Text.");
    expect(JSON.parse(JSON.stringify(error))).toEqual(error);
    expect("hint" in error).toBe(false);
  });

  it.each(["", "Upper", "two words", "-x", "x-", "a--b", "ä"])("have no code %j", (code) => {
    expect(higgsErrorSchema.safeParse({ code, message: "" }).success).toBe(false);
  });
});

describe("describeZodError", () => {
  it("says where the first problem is", () => {
    const parsed = z.object({ a: z.object({ b: z.number() }) }).safeParse({ a: { b: "x" } });
    expect(parsed.success ? "" : describeZodError(parsed.error)).toMatch(/^a\.b: /);
  });

  it("says what is wrong with the whole where there is no place", () => {
    const parsed = z.string().safeParse(1);
    expect(parsed.success ? "" : describeZodError(parsed.error)).not.toMatch(/^:/);
  });
});
