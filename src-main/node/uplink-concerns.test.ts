import { describe, expect, it } from "vitest";
import { interfacesUp, uplinkConcerns } from "./uplink-concerns.ts";

describe("uplinkConcerns", () => {
  it("is about the way out over IPv4, where there is one", () => {
    const uplink = { ipv4: "eth0", ipv6: "eth1" };
    expect(uplinkConcerns({ uplink }, new Set(["eth0"]))).toEqual([]);
    expect(uplinkConcerns({ uplink }, new Set(["eth1"]))).toMatchObject([{ code: "uplink-down" }]);
  });

  it("is about IPv6 where that is the only way, and about nothing where there is none", () => {
    expect(uplinkConcerns({ uplink: { ipv4: null, ipv6: "eth1" } }, new Set())).toHaveLength(1);
    expect(uplinkConcerns({ uplink: { ipv4: null, ipv6: null } }, new Set())).toEqual([]);
  });
});

describe("interfacesUp", () => {
  it("knows the loopback interface of this machine", () => {
    expect([...interfacesUp()]).toContain("lo");
  });
});
