import { describe, expect, it } from "vitest";
import { TestPeer } from "./test-peer.ts";

describe("the peer of a self-test", () => {
  it("is in the plan until the test has ended, and its addresses are known afterwards", () => {
    const test = new TestPeer();
    const peer = { publicKey: "key", allowedIps: ["10.66.255.254/32", "fd00::fffe/128"] };
    expect(test.has("10.66.255.254")).toBe(false);
    test.set(peer);
    expect(test.peer).toBe(peer);
    test.set(undefined);
    expect(test.peer).toBeUndefined();
    expect(["10.66.255.254", "fd00::fffe", "10.66.0.2"].map((address) => test.has(address))).toEqual([
      true,
      true,
      false,
    ]);
  });
});
