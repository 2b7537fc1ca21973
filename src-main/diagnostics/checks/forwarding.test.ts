import { describe, expect, it } from "vitest";
import type { PhaseState } from "../../../src-shared/model/node-state.ts";
import type { FirewallInspection, NetworkObservation } from "../../../src-shared/network-observation.ts";
import { CAPABILITIES, INSPECTION } from "../../node/testing/fake-machine.ts";
import { HOME, route } from "../../routing/testing/observation.ts";
import type { SharingFacts, Verdict } from "../check.ts";
import { alone, EXIT, PLAN, SHARING_MACHINE, sharing, verdictOf } from "../testing/check-context.ts";
import { firewallChecks, natChecks, routingChecks } from "./forwarding.ts";

const checks = [...natChecks, ...routingChecks, ...firewallChecks];
const { firewall } = SHARING_MACHINE;
const NAT_RULE = 'nat HIGGS-POSTROUTING: rule "-j MASQUERADE" is missing';
const FILTER_RULE = 'filter HIGGS-FORWARD: rule "-j DROP" is missing';

const IPV6_FAILED: Partial<SharingFacts> = {
  ipv6Failed: true,
  state: {
    phase: "running",
    since: "2026-07-01T00:00:00.000Z",
    exit: { ...EXIT, ipv6: { state: "failed", error: { code: "x", message: "No IPv6 NAT." } } },
  },
};

describe("rules and forwarding of a node that shares", () => {
  it("pass where everything is as it was applied", async () => {
    for (const id of ["nat.rules", "firewall.rules", "firewall.ipv6", "routing.forwarding", "routing.guests"]) {
      expect(await verdictOf(checks, id, sharing())).toMatchObject({ outcome: "pass" });
    }
  });

  it("are not looked at while sharing is off", async () => {
    for (const id of ["nat.rules", "firewall.rules", "firewall.ipv6", "routing.forwarding", "routing.guests"]) {
      expect(await verdictOf(checks, id, alone())).toEqual({ outcome: "skipped", detail: "Sharing is off." });
    }
  });

  it.each<[string, NetworkObservation["firewall"], string, string]>([
    ["a NAT rule", { ...firewall, ipv4: { state: "differs", differences: [NAT_RULE] } }, "fail", "pass"],
    ["a filter rule", { ...firewall, ipv4: { state: "differs", differences: [FILTER_RULE] } }, "pass", "fail"],
    ["an IPv6 rule", { ...firewall, ipv6: { state: "differs", differences: [FILTER_RULE] } }, "pass", "fail"],
    ["both", { ...firewall, ipv4: { state: "differs", differences: [NAT_RULE, FILTER_RULE] } }, "fail", "fail"],
    ["everything", { ipv4: { state: "absent" }, ipv6: { state: "absent" } }, "fail", "fail"],
    ["every IPv6 rule", { ...firewall, ipv6: { state: "absent" } }, "fail", "fail"],
    ["the means to read them", { ...firewall, ipv4: { state: "unavailable", reason: "x" } }, "fail", "fail"],
  ])("tell what is missing: %s", async (_, seen, nat, filter) => {
    const context = sharing({ firewall: seen });
    expect((await verdictOf(checks, "nat.rules", context)).outcome).toBe(nat);
    expect((await verdictOf(checks, "firewall.rules", context)).outcome).toBe(filter);
  });

  it("ask for no IPv6 rules where guests have no IPv6", async () => {
    const seen = { firewall: { ...firewall, ipv6: { state: "unavailable" as const, reason: "no ip6tables" } } };
    const withoutIpv6 = { ...PLAN, spec: { ...PLAN.spec, guests: { ...PLAN.spec.guests, ipv6: null } } };
    expect((await verdictOf(checks, "firewall.rules", sharing(seen, IPV6_FAILED))).outcome).toBe("pass");
    expect((await verdictOf(checks, "firewall.rules", sharing(seen, { plan: withoutIpv6 }))).outcome).toBe("pass");
    expect((await verdictOf(checks, "firewall.rules", sharing(seen))).outcome).toBe("fail");
  });

  it.each<[string, NetworkObservation["forwarding"], Partial<SharingFacts>, string, string]>([
    ["on", { ipv4: { higgs0: true, eth0: true }, ipv6: true }, {}, "pass", "On higgs0 and eth0."],
    ["off", { ipv4: { higgs0: true, eth0: false }, ipv6: true }, {}, "fail", "IPv4 forwarding is off on eth0."],
    ["off for IPv6", { ipv4: { higgs0: true }, ipv6: false }, {}, "fail", "IPv6 forwarding is off."],
    ["off for IPv6, which failed", { ipv4: { higgs0: true }, ipv6: false }, IPV6_FAILED, "pass", "On higgs0."],
    ["not seen", { ipv4: {}, ipv6: true }, {}, "fail", "IPv4 forwarding is not set up on higgs0."],
  ])("see forwarding: %s", async (_, forwarding, facts, outcome, detail) => {
    const verdict = await verdictOf(checks, "routing.forwarding", sharing({ forwarding }, facts));
    expect(verdict).toMatchObject({ outcome, detail });
  });

  it.each<[string, string[], string]>([
    ["nowhere", [], "10.66.0.0/16 leads nowhere."],
    ["elsewhere", ["10.66.0.0/16 dev tun9"], "10.66.0.0/16 leads to tun9."],
  ])("see that the guests' network leads %s", async (_, routes, detail) => {
    const seen = { routes: [...HOME.routes, ...routes.map(route)] };
    expect(await verdictOf(checks, "routing.guests", sharing(seen))).toMatchObject({ outcome: "fail", detail });
  });

  it("know how guests get IPv6, also in a node that is degraded", async () => {
    const { state } = IPV6_FAILED;
    const degraded: PhaseState = {
      phase: "degraded",
      since: "2026-07-01T00:00:00.000Z",
      exit: state?.phase === "running" ? state.exit : EXIT,
      problems: [{ code: "no-uplink", message: "x" }],
    };
    for (const facts of [IPV6_FAILED, { ...IPV6_FAILED, state: degraded }]) {
      expect(await verdictOf(checks, "firewall.ipv6", sharing({}, facts))).toMatchObject({
        outcome: "warn",
        detail: "No IPv6 NAT.",
      });
    }
    const off = { plan: { ...PLAN, ipv6Off: { code: "ipv6-no-uplink", message: "There is none." } } };
    expect(await verdictOf(checks, "firewall.ipv6", sharing({}, off))).toEqual({
      outcome: "skipped",
      detail: "There is none.",
    });
  });
});

describe("the machine's own firewall", () => {
  function inspected(id: string, inspection: Partial<FirewallInspection>, shares = false): Promise<Verdict> {
    const facts = { inspection: { ...INSPECTION, ...inspection } };
    return verdictOf(checks, id, shares ? sharing({}, {}, facts) : alone(facts));
  }

  it("must translate IPv4", async () => {
    expect((await verdictOf(checks, "nat.support", alone())).detail).toBe("For IPv4 and IPv6.");
    const nat = (ipv4: boolean, ipv6: boolean) => alone({ capabilities: { ...CAPABILITIES, nat: { ipv4, ipv6 } } });
    expect(await verdictOf(checks, "nat.support", nat(true, false))).toEqual({ outcome: "pass", detail: "For IPv4." });
    expect((await verdictOf(checks, "nat.support", nat(false, true))).outcome).toBe("fail");
  });

  it("may belong to others, who are named", async () => {
    expect(await inspected("firewall.owners", {})).toMatchObject({ outcome: "pass", detail: "None." });
    const owners = [
      { name: "ufw", evidence: "chain ufw-user-input" },
      { name: "Docker", evidence: "chain DOCKER" },
    ];
    expect((await inspected("firewall.owners", { owners })).detail).toMatch(/^ufw, Docker/);
    const unreadable = [{ code: "x", message: "nft cannot be read." }];
    expect(await inspected("firewall.owners", { unreadable })).toMatchObject({
      outcome: "warn",
      detail: "nft cannot be read.",
    });
  });

  it("must not cut guests off: a warning before sharing, a failure while guests are cut off", async () => {
    const obstacles = [{ family: 4 as const, rule: "inet x forward", effect: "drops" }];
    expect(await inspected("firewall.obstacles", {})).toMatchObject({ outcome: "pass" });
    expect(await inspected("firewall.obstacles", { obstacles })).toMatchObject({ outcome: "warn" });
    expect(await inspected("firewall.obstacles", { obstacles }, true)).toMatchObject({
      outcome: "fail",
      detail: "inet x forward (drops)",
    });
  });
});
