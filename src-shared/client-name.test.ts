import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clientNameKey, clientNameSchema } from "./model/client.ts";

describe("client names", () => {
  it.each(["Anna's phone", "laptop-2", "Zoë", "日本語", "a", "7", "x".repeat(48)])("may be %s", (name) => {
    expect(clientNameSchema.safeParse(name).success).toBe(true);
  });

  it.each([
    "",
    " ",
    " x",
    "x ",
    "-rf",
    ".hidden",
    "../x",
    "a/b",
    "a\\b",
    "a;b",
    "a|b",
    "a&b",
    "$(reboot)",
    "`reboot`",
    "a\nb",
    "a\r",
    "a\tb",
    "a\0b",
    'a"b',
    "a<b>",
    "a#b",
    "a=b",
    "a[Peer]",
    "\u202Eevil",
    "a\u200Bb",
    "😀",
    "x".repeat(49),
    "x".repeat(10_240),
  ])("may not be %j", (name) => {
    expect(clientNameSchema.safeParse(name).success).toBe(false);
  });

  it("never hold anything a shell, a path, a configuration or a terminal gives a meaning", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "grapheme" }), fc.string({ unit: "binary" })), (text) => {
        const parsed = clientNameSchema.safeParse(text);
        if (!parsed.success) return;
        expect(parsed.data).toMatch(/^[\p{L}\p{M}\p{N} ._'-]+$/u);
        expect(parsed.data).not.toMatch(/^[-.\s]|\s$/);
        expect([...parsed.data].length).toBeLessThanOrEqual(48);
        expect(clientNameSchema.parse(parsed.data)).toBe(parsed.data);
      }),
      { numRuns: 1_000 },
    );
  });

  it("are the same name in either Unicode form and either case", () => {
    expect(clientNameSchema.parse("Zoe\u0308")).toBe("Zoë");
    expect(clientNameKey("ZOE\u0308")).toBe(clientNameKey("zoë"));
  });
});
