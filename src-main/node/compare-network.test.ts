import { describe, expect, it } from "vitest";
import type { ApplyResult } from "../../src-shared/helper/protocol.ts";
import type { NetworkObservation } from "../../src-shared/network-observation.ts";
import type { NetworkSpec } from "../../src-shared/network-spec.ts";
import {
  type PresentTunnel,
  sampleIpv4Spec,
  samplePeer,
  sampleSpec,
  sampleTunnel,
} from "../../src-shared/testing/sample-spec.ts";
import { HOME } from "../routing/testing/observation.ts";
import { findProblems } from "./compare-network.ts";

type Applied = Pick<ApplyResult, "specHash" | "ipv6">;
type Present = PresentTunnel;

const APPLIED: Applied = { specHash: "abc", ipv6: { state: "on" } };
const IPV6_FAILED: Applied = { specHash: "abc", ipv6: { state: "failed", error: { code: "x", message: "x" } } };

const SPEC: NetworkSpec = {
  ...sampleSpec(),
  wireguard: { ...sampleSpec().wireguard, peers: [samplePeer(0), samplePeer(1)] },
};

const PRESENT = sampleTunnel(SPEC);

const SEEN: NetworkObservation = {
  ...HOME,
  applied: { specHash: "abc" },
  wireguard: PRESENT,
  forwarding: { ipv4: { higgs0: true, eth0: true }, ipv6: true },
  firewall: { ipv4: { state: "matches" }, ipv6: { state: "matches" } },
};

function codes(seen: Partial<NetworkObservation>, applied = APPLIED, spec = SPEC): string[] {
  return findProblems(spec, { ...SEEN, ...seen }, applied).map(({ code }) => code);
}

function wireguard(changes: Partial<Present>): Partial<NetworkObservation> {
  return { wireguard: { ...PRESENT, ...changes } };
}

function firewall(changes: Partial<NetworkObservation["firewall"]>): Partial<NetworkObservation> {
  return { firewall: { ...SEEN.firewall, ...changes } };
}

describe("findProblems", () => {
  it("finds none where the kernel has what the spec wants", () => {
    expect(codes({})).toEqual([]);
  });

  const [first, second] = PRESENT.peers as [Present["peers"][0], Present["peers"][0]];
  it.each<[string, Partial<NetworkObservation>, string[]]>([
    ["an interface that was deleted", { wireguard: { state: "absent" } }, ["interface-gone"]],
    ["one that does not answer", { wireguard: { state: "broken", reason: "no process" } }, ["interface-broken"]],
    ["one that is down", wireguard({ up: false }), ["interface-down"]],
    ["another port", wireguard({ listenPort: 4000 }), ["port-changed"]],
    ["a client that is missing", wireguard({ peers: [first] }), ["peers-missing"]],
    ["a stranger", wireguard({ peers: [first, second, { ...second, publicKey: "?" }] }), ["peers-unknown"]],
    [
      "a stranger in place of a client",
      wireguard({ peers: [first, { ...second, publicKey: "?" }] }),
      ["peers-missing", "peers-unknown"],
    ],
    [
      "forwarding that is off on the tunnel",
      { forwarding: { ipv4: { higgs0: false }, ipv6: true } },
      ["forwarding-off"],
    ],
    [
      "forwarding that is off on the uplink",
      { forwarding: { ipv4: { higgs0: true, eth0: false }, ipv6: true } },
      ["forwarding-off"],
    ],
    [
      "IPv6 forwarding that is off",
      { forwarding: { ipv4: { higgs0: true, eth0: true }, ipv6: false } },
      ["forwarding6-off"],
    ],
    [
      "changed IPv4 rules",
      firewall({ ipv4: { state: "differs", differences: ["nat: one is missing"] } }),
      ["firewall-changed"],
    ],
    ["changed IPv6 rules", firewall({ ipv6: { state: "differs", differences: [] } }), ["firewall-changed"]],
    ["no IPv4 rules", firewall({ ipv4: { state: "absent" } }), ["firewall-gone"]],
    ["no IPv6 rules", firewall({ ipv6: { state: "absent" } }), ["firewall-gone"]],
    [
      "IPv4 rules that cannot be read",
      firewall({ ipv4: { state: "unavailable", reason: "no iptables" } }),
      ["firewall-unreadable"],
    ],
    ["a helper that holds nothing", { applied: null }, ["exit-forgotten"]],
    ["a helper that holds another exit", { applied: { specHash: "other" } }, ["exit-replaced"]],
  ])("names %s", (_, seen, expected) => {
    expect(codes(seen)).toEqual(expected);
  });

  it("says in each message what it is about", () => {
    const [problem] = findProblems(SPEC, { ...SEEN, wireguard: { ...PRESENT, peers: [first] } }, APPLIED);
    expect(problem?.message).toBe("1 of 2 clients are not set up.");
  });

  it("does not miss an uplink that is gone: the route that led over it is another fact", () => {
    expect(codes({ forwarding: { ipv4: { higgs0: true }, ipv6: true } })).toEqual([]);
  });

  it("does not miss IPv6 where the helper has said that it failed", () => {
    const without = {
      forwarding: { ...SEEN.forwarding, ipv6: false },
      firewall: { ...SEEN.firewall, ipv6: { state: "absent" as const } },
    };
    expect(codes(without, IPV6_FAILED)).toEqual([]);
    expect(codes(without)).toEqual(["forwarding6-off", "firewall-gone"]);
  });

  it("does not miss IPv6 where the spec wants none", () => {
    const spec = { ...sampleIpv4Spec(), wireguard: { ...sampleIpv4Spec().wireguard, peers: SPEC.wireguard.peers } };
    const seen = firewall({ ipv6: { state: "absent" } });
    expect(codes({ ...seen, forwarding: { ipv4: { higgs0: true, eth0: true }, ipv6: null } }, APPLIED, spec)).toEqual(
      [],
    );
  });

  it("does not ask for IPv4 forwarding where the spec does not", () => {
    const spec = { ...SPEC, exit: { ...SPEC.exit, ipv4: "off" as const } };
    expect(codes({ forwarding: { ipv4: { higgs0: false }, ipv6: true } }, APPLIED, spec)).toEqual([]);
  });
});
