import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { sessionSealSchema } from "../src-shared/relay/control.ts";
import { AddressSealer } from "./address-seal.ts";

const LIFETIME_MS = 180_000;
const KEY = randomBytes(32);
const NOW_MS = 1_800_000_000_000;
const GUEST = { address: "203.0.113.9", port: 40_123 };
const sealer = new AddressSealer(KEY, LIFETIME_MS);

function sealOf(guest = GUEST, node = "node-a", session = 7): string {
  const seal = sealer.seal(node, session, guest, NOW_MS);
  if (seal === undefined) throw new Error("nothing was sealed");
  return seal;
}

describe("a sealed address", () => {
  it.each([
    GUEST,
    { address: "::ffff:203.0.113.9", port: 1 },
    { address: "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", port: 65_535 },
    { address: "0000:0000:0000:0000:0000:ffff:255.255.255.255", port: 0 },
  ])("comes back as it was: $address", (guest) => {
    expect(sealer.open("node-a", 7, sealOf(guest), NOW_MS)).toEqual(guest);
  });

  it("fits the wire, and tells by its length nothing of the address", () => {
    const seals = [sealOf(), sealOf({ address: "::1", port: 1 })];
    expect(seals[0]?.length).toBe(seals[1]?.length);
    for (const seal of seals) expect(sessionSealSchema.safeParse(seal).success).toBe(true);
  });

  it("is another every time, so that seals cannot be compared", () => {
    expect(sealOf()).not.toBe(sealOf());
  });

  it("is good for the node and the session it was made for only", () => {
    expect(sealer.open("node-b", 7, sealOf(), NOW_MS)).toBeUndefined();
    expect(sealer.open("node-a", 8, sealOf(), NOW_MS)).toBeUndefined();
  });

  it("is good for its lifetime only", () => {
    expect(sealer.open("node-a", 7, sealOf(), NOW_MS + LIFETIME_MS)).toEqual(GUEST);
    expect(sealer.open("node-a", 7, sealOf(), NOW_MS + LIFETIME_MS + 1)).toBeUndefined();
  });

  it("is worth nothing with any bit changed, cut short, longer, or under another key", () => {
    const bytes = Buffer.from(sealOf(), "base64url");
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const forged = Buffer.from(bytes);
      forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(sealer.open("node-a", 7, forged.toString("base64url"), NOW_MS)).toBeUndefined();
    }
    for (const other of [
      bytes.subarray(1),
      bytes.subarray(0, -1),
      Buffer.concat([bytes, Buffer.of(0)]),
      Buffer.of(1),
    ]) {
      expect(sealer.open("node-a", 7, other.toString("base64url"), NOW_MS)).toBeUndefined();
    }
    expect(new AddressSealer(randomBytes(32), LIFETIME_MS).open("node-a", 7, sealOf(), NOW_MS)).toBeUndefined();
  });

  it("is not made for an address with a zone, or one too long for its place", () => {
    expect(sealer.seal("node-a", 7, { address: "fe80::1%eth0", port: 1 }, NOW_MS)).toBeUndefined();
    expect(sealer.seal("node-a", 7, { address: "x".repeat(46), port: 1 }, NOW_MS)).toBeUndefined();
  });
});
