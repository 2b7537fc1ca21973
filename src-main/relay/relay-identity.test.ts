import { createPublicKey, verify } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nodeIdSchema } from "../../src-shared/relay/control.ts";
import { unwrap } from "../../src-shared/result.ts";
import { openRelayIdentity, RELAY_KEY_FILE_NAME } from "./relay-identity.ts";

let dataDir: string;
let file: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "higgs-identity-"));
  file = join(dataDir, RELAY_KEY_FILE_NAME);
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

describe("the node's identity at relays", () => {
  it("is made once, for its owner's eyes only, and stays the same", () => {
    const { id } = unwrap(openRelayIdentity(dataDir));
    expect(nodeIdSchema.safeParse(id).success).toBe(true);
    if (process.platform !== "win32") expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(unwrap(openRelayIdentity(dataDir)).id).toBe(id);
  });

  it("signs so that its id verifies", () => {
    const { id, sign } = unwrap(openRelayIdentity(dataDir));
    const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: id }, format: "jwk" });
    expect(verify(null, Buffer.from("text ä"), key, Buffer.from(sign("text ä"), "base64url"))).toBe(true);
    expect(verify(null, Buffer.from("other"), key, Buffer.from(sign("text ä"), "base64url"))).toBe(false);
  });

  it.each([
    ["garbage", "this is no key"],
    ["nothing", ""],
  ])("is not made anew over a file with %s in it", (_, text) => {
    writeFileSync(file, text);
    expect(openRelayIdentity(dataDir)).toMatchObject({ ok: false, error: { code: "relay-identity-unusable" } });
    expect(readFileSync(file, "utf8")).toBe(text);
  });

  it("is an error where the data directory is gone", () => {
    rmSync(dataDir, { recursive: true });
    expect(openRelayIdentity(dataDir)).toMatchObject({ ok: false, error: { code: "relay-identity-unusable" } });
  });
});
