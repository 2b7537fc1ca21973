import { describe, expect, it } from "vitest";
import type { HealthFactCode } from "../../src-shared/model/health.ts";
import { HealthRig, RUNNING } from "./testing/health-rig.ts";
import { factOfTrouble } from "./trouble-facts.ts";

const SINCE = "2026-01-01T00:00:00.000Z";

describe("what is wrong with the tunnel", () => {
  it.each<[string, HealthFactCode]>([
    ["interface-gone", "wireguard"],
    ["interface-down", "wireguard"],
    ["peers-missing", "wireguard"],
    ["port-in-use", "wireguard"],
    ["forwarding-off", "routing"],
    ["forwarding6-off", "routing"],
    ["firewall-changed", "nat"],
    ["firewall-gone", "nat"],
    ["limits-gone", "limits"],
    ["no-uplink", "networkRoute"],
    ["uplink-down", "networkRoute"],
    ["prefix-conflict", "addressConflict"],
    ["dns-port-taken", "dns"],
    ["helper-timeout", "helper"],
    ["exit-forgotten", "helper"],
    ["permission-refused", "helper"],
  ])("%s is about %s", (code, fact) => {
    expect(factOfTrouble(code)).toBe(fact);
    const rig = new HealthRig();
    rig.seeProblems(code);
    expect(rig.fact(fact)).toMatchObject({ state: "bad", error: { code, hint: expect.any(String) } });
    const others = rig.manager.state.facts.filter((other) => other.state === "bad" && other.code !== fact);
    expect(others).toEqual([]);
  });

  it("is unknown, not good, where nobody could look", () => {
    const rig = new HealthRig();
    rig.context = { ...rig.context, helperConnected: false };
    rig.manager.update();
    expect(rig.fact("helper").state).toBe("bad");
    for (const code of ["wireguard", "routing", "nat", "networkRoute"] as const)
      expect(rig.fact(code).state).toBe("unknown");
  });

  it("is told by a phase that failed, after which there is nothing left to look at", () => {
    const rig = new HealthRig();
    rig.become({ phase: "failed", since: SINCE, error: { code: "port-in-use", message: "Taken." } });
    expect(rig.fact("wireguard")).toMatchObject({ state: "bad", error: { code: "port-in-use" } });
    expect(rig.fact("nat").state).toBe("unknown");
  });

  it("names a network that has come to overlap the guests'", () => {
    const rig = new HealthRig();
    rig.context = { ...rig.context, addressConflict: "The guests' network overlaps another." };
    rig.manager.update();
    expect(rig.fact("addressConflict")).toMatchObject({ state: "bad", error: { code: "prefix-conflict" } });
  });
});

describe("what is around the node", () => {
  it("does not need a mapping where guests were seen to get in without", () => {
    const rig = new HealthRig();
    const reason = { code: "router-silent", message: "No router answers." };
    rig.context = { ...rig.context, portMapping: { state: "unavailable", since: SINCE, reason, nextProbeAt: null } };
    rig.manager.update();
    expect(rig.fact("portMapping").state).toBe("bad");
    const endpoint = { host: "203.0.113.7", port: 51820 };
    const reachability = { state: "reachable", endpoint, since: SINCE, provenAt: SINCE, ms: 20 } as const;
    rig.context = { ...rig.context, reachability };
    rig.manager.update();
    expect(rig.fact("portMapping").state).toBe("off");
  });

  it("is silent about everything while sharing is off", () => {
    const rig = new HealthRig();
    rig.become({ phase: "stopped", since: SINCE });
    expect(rig.manager.state.overall).toBe("off");
    expect(rig.manager.state.facts.every(({ state }) => state === "off")).toBe(true);
    rig.become(RUNNING);
    expect(rig.manager.state.overall).not.toBe("off");
  });
});
