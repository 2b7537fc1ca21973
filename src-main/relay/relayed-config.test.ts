import { describe, expect, it } from "vitest";
import { unwrap } from "../../src-shared/result.ts";
import { throughBridge, throughUdp } from "./relayed-config.ts";

const PLACE = {
  url: "wss://relay.example",
  endpoint: { host: "relay.example", port: 40_001 },
  nodeId: "A".repeat(43),
  addresses: ["11.22.44.90", "2001:db8::9"],
};

describe("a configuration through a relay", () => {
  it("names the relay's UDP endpoint and an MTU that fits, a smaller one of the owner's kept", () => {
    expect(throughUdp(PLACE, 1420)).toEqual({ endpoint: PLACE.endpoint, mtu: 1380, heading: [] });
    expect(throughUdp(PLACE, 1300).mtu).toBe(1300);
  });

  it("through the bridge leaves out the relay's addresses, and says how to start the bridge with just those", () => {
    const parts = unwrap(throughBridge(PLACE, 1420));
    expect(parts).toMatchObject({ endpoint: { host: "127.0.0.1", port: 51821 }, mtu: 1380 });
    expect(parts.allowedIps).toHaveLength(32 + 128);
    expect(parts.heading.every((line) => line.startsWith("#"))).toBe(true);
    expect(parts.heading.join("\n")).toContain(
      `higgsnode connect --relay wss://relay.example --node=${PLACE.nodeId} --relay-address 11.22.44.90 --relay-address 2001:db8::9`,
    );
  });

  it("through the bridge cannot be made without the relay's addresses", () => {
    expect(throughBridge({ ...PLACE, addresses: [] }, 1420)).toMatchObject({
      ok: false,
      error: { code: "relay-address-unknown" },
    });
  });
});
