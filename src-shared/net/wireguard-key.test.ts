import { Buffer } from "node:buffer";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { wireguardKeySchema } from "./wireguard-key.ts";

describe("WireGuard keys", () => {
  it("are any 32 bytes in base64", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        expect(wireguardKeySchema.safeParse(Buffer.from(bytes).toString("base64")).success).toBe(true);
      }),
    );
  });

  it("are nothing else: what is taken is the one text of its 32 bytes", () => {
    const almost = fc.stringMatching(/^[A-Za-z0-9+/=\n ]{40,46}$/);
    fc.assert(
      fc.property(fc.oneof(fc.string(), almost, fc.base64String()), (text) => {
        if (!wireguardKeySchema.safeParse(text).success) return;
        const bytes = Buffer.from(text, "base64");
        expect(bytes.length).toBe(32);
        expect(bytes.toString("base64")).toBe(text);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([31, 33, 0])("do not have %i bytes", (length) => {
    expect(wireguardKeySchema.safeParse(Buffer.alloc(length, 7).toString("base64")).success).toBe(false);
  });

  it.each(["\n", "\nEndpoint = 192.0.2.1:1", " ", "#"])("do not go on with %j", (tail) => {
    expect(wireguardKeySchema.safeParse(Buffer.alloc(32, 7).toString("base64") + tail).success).toBe(false);
  });
});
