import { describe, expect, it } from "vitest";
import type { ClientLimitSpec } from "./limits-spec.ts";
import { networkSpecSchema } from "./network-spec.ts";
import { sampleSpec } from "./testing/sample-spec.ts";

function client(index: number, changes: Record<string, unknown> = {}) {
  const addresses = [`10.66.0.${index}`, `fd00:1:2:3::${index.toString(16)}`];
  return { classId: index, addresses, downBitsPerSecond: 5_000_000, priority: 5, ...changes } as ClientLimitSpec;
}

function withLimits(...clients: ClientLimitSpec[]) {
  return networkSpecSchema.safeParse({ ...sampleSpec(), limits: { clients } });
}

describe("limits of a spec", () => {
  it("are taken for guests in both families", () => {
    expect(withLimits(client(2), client(3, { upBitsPerSecond: 8_000 })).success).toBe(true);
  });

  it.each([
    ["an address outside the guest network", [client(2, { addresses: ["192.168.1.2"] })]],
    ["an address of the whole machine", [client(2, { addresses: ["0.0.0.0"] })]],
    ["text that is no address", [client(2, { addresses: ["10.66.0.2; reboot"] })]],
    ["two addresses of one family", [client(2, { addresses: ["10.66.0.2", "10.66.0.3"] })]],
    ["the same address twice", [client(2), client(3, { addresses: ["10.66.0.2"] })]],
    ["addresses that end alike", [client(2), client(3, { addresses: ["fd00:1:2:3:0:0:1:2"] })]],
    ["a class twice", [client(2), client(3, { classId: 2 })]],
    ["the class everybody is in", [client(2, { classId: 1 })]],
    ["the class of all others", [client(2, { classId: 0xffff })]],
    ["a rate of nothing", [client(2, { downBitsPerSecond: 0 })]],
    ["a negative rate", [client(2, { downBitsPerSecond: -1 })]],
    ["a rate beyond any line", [client(2, { upBitsPerSecond: 1e15 })]],
    ["a rate that is no number", [client(2, { downBitsPerSecond: Number.NaN })]],
    ["a priority of 0", [client(2, { priority: 0 })]],
    ["a priority of 11", [client(2, { priority: 11 })]],
    ["a burst smaller than a packet", [client(2, { burstBytes: 100 })]],
    ["something more", [client(2, { device: "eth0" })]],
  ])("are refused with %s", (_, clients) => {
    expect(withLimits(...clients).success).toBe(false);
  });

  it("have a total of their own bounds", () => {
    const limits = (total: unknown) => networkSpecSchema.safeParse({ ...sampleSpec(), limits: { total, clients: [] } });
    expect(limits({ downBitsPerSecond: 100_000_000 }).success).toBe(true);
    expect(limits({ downBitsPerSecond: 1 }).success).toBe(false);
    expect(limits({ device: "eth0" }).success).toBe(false);
  });
});
