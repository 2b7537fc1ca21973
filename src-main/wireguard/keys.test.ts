import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { wireguardKeySchema } from "../../src-shared/net/wireguard-key.ts";
import { generateKeyPair, generatePresharedKey, publicKeyOf } from "./keys.ts";

const WG = "/usr/bin/wg";

function base64(hex: string): string {
  return Buffer.from(hex, "hex").toString("base64");
}

describe("publicKeyOf", () => {
  it.each([
    [
      "Alice",
      "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
      "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
    ],
    [
      "Bob",
      "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
      "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
    ],
  ])("gives the public key of %s in RFC 7748, section 6.1", (_, privateHex, publicHex) => {
    expect(publicKeyOf(base64(privateHex))).toBe(base64(publicHex));
  });

  it("refuses a key of another length", () => {
    expect(() => publicKeyOf(base64("00ff"))).toThrow(TypeError);
  });
});

describe("generateKeyPair", () => {
  it("makes well-formed, clamped keys that differ each time", () => {
    const pairs = Array.from({ length: 20 }, () => generateKeyPair());
    for (const { privateKey, publicKey } of pairs) {
      expect(wireguardKeySchema.safeParse(privateKey).success).toBe(true);
      expect(wireguardKeySchema.safeParse(publicKey).success).toBe(true);
      const raw = Buffer.from(privateKey, "base64");
      expect((raw[0] ?? 0) & 7).toBe(0);
      expect((raw[31] ?? 0) >> 6).toBe(1);
    }
    expect(new Set(pairs.map((pair) => pair.publicKey)).size).toBe(pairs.length);
  });

  it.runIf(existsSync(WG))("agrees with wg pubkey", () => {
    const { privateKey, publicKey } = generateKeyPair();
    expect(execFileSync(WG, ["pubkey"], { input: privateKey, encoding: "utf8" }).trim()).toBe(publicKey);
  });

  it("makes preshared keys that are well-formed and differ", () => {
    expect(wireguardKeySchema.safeParse(generatePresharedKey()).success).toBe(true);
    expect(generatePresharedKey()).not.toBe(generatePresharedKey());
  });
});
