import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { languageOf } from "./login-page.ts";
import { isLoopback, parsePanelListen } from "./open-panel.ts";
import { hashPassword, MAX_PASSWORD_CHARACTERS, verifyPassword } from "./panel-password.ts";

describe("the address of a panel", () => {
  it.each([
    ["0.0.0.0:8443", { host: "0.0.0.0", port: 8443 }],
    ["127.0.0.1:0", { host: "127.0.0.1", port: 0 }],
    ["[::]:443", { host: "::", port: 443 }],
  ])("reads %s", (text, expected) => {
    expect(parsePanelListen(text)).toEqual(expected);
  });

  it.each(["", "8443", ":8443", "host:1", "1.2.3.4", "1.2.3.4:65536", "::1:80", "[1.2.3]:80", "1.2.3.4:1; rm"])(
    "does not read %j",
    (text) => {
      expect(parsePanelListen(text)).toBeUndefined();
    },
  );

  it("is known to be this computer's alone where it is", () => {
    expect(["127.0.0.1", "127.9.9.9", "::1"].map(isLoopback)).toEqual([true, true, true]);
    expect(["0.0.0.0", "::", "192.168.1.2"].map(isLoopback)).toEqual([false, false, false]);
  });
});

describe("a password", () => {
  it("is known again by its hash, in another normal form too, and no other is", async () => {
    const hash = await hashPassword("Pässwörter zuhauf".normalize("NFC"));
    if (!hash.ok) throw new Error(hash.error.message);
    expect(await verifyPassword("Pässwörter zuhauf".normalize("NFD"), hash.value)).toBe(true);
    expect(await verifyPassword("Passworter zuhauf", hash.value)).toBe(false);
    expect(await verifyPassword("", hash.value)).toBe(false);
  });

  it("is refused where it is too short or too long", async () => {
    expect(await hashPassword("123456789")).toMatchObject({ error: { code: "password-too-short" } });
    expect(await hashPassword("x".repeat(MAX_PASSWORD_CHARACTERS + 1))).toMatchObject({
      error: { code: "password-too-long" },
    });
  });

  it("matches no hash that was not made here, however it is written", async () => {
    const zeros = "A".repeat(22);
    const pem = generateKeyPairSync("ed25519").privateKey.export({ format: "pem", type: "pkcs8" });
    for (const hash of [
      "",
      "scrypt",
      `scrypt:1048576:99:99:${zeros}:${"A".repeat(43)}`,
      `scrypt:0:0:0:${zeros}:${"A".repeat(43)}`,
      `scrypt:32767:8:1:${zeros}:${"A".repeat(43)}`,
      `scrypt:65536:1:1:${zeros}:${"A".repeat(43)}`,
    ]) {
      expect(await verifyPassword("correct horse battery", hash)).toBe(false);
      // An error that scrypt left behind would be taken for one of the next key that is read.
      expect(() => createPrivateKey(pem)).not.toThrow();
    }
  });
});

describe("the language of the login page", () => {
  it.each([
    [undefined, "en"],
    ["", "en"],
    ["ru", "ru"],
    ["de, ru;q=0.5, en;q=0.4", "ru"],
    ["en;q=0.3, ru-RU;q=0.9", "ru"],
    ["ru;q=0, en", "en"],
    ["ru;q=x, fr", "en"],
  ])("of %j is %s", (header, language) => {
    expect(languageOf(header)).toBe(language);
  });
});
