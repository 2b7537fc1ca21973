import { describe, expect, it } from "vitest";
import { classifyPath, type NatEvidence } from "./classify-path.ts";

const NOTHING: NatEvidence = {
  local: "192.168.77.10",
  gateway: "192.168.77.1",
  router: null,
  saysNoPublicAddress: false,
  isMappedBehind: false,
  seen: null,
  hops: [],
  proof: null,
  port: 51820,
  hasIpv6: false,
  relayed: true,
};
const mapped = (externalAddress: string) => ({ protocol: "pcp", externalAddress }) as const;

function classify(evidence: Partial<NatEvidence>) {
  const path = classifyPath({ ...NOTHING, ...evidence });
  if (path.state === "unknown") return { verdict: "unknown", code: path.reason.code, advice: [], hops: [] };
  return {
    verdict: path.verdict,
    code: path.reason?.code ?? null,
    advice: path.advice.map(({ code }) => code),
    hops: path.hops.map(({ kind, address, externalAddress }) => `${kind} ${address ?? "?"} ${externalAddress ?? "?"}`),
  };
}

describe("the path to the internet", () => {
  it.each<[string, Partial<NatEvidence>, string]>([
    ["nothing is known", {}, "unknown"],
    ["there is no IPv4", { local: null }, "unknown"],
    ["the machine has the address that is seen", { local: "11.22.33.2", seen: "11.22.33.2" }, "no-nat"],
    ["the machine has a public address and nobody was asked", { local: "11.22.33.2" }, "no-nat"],
    ["the machine's public address is not the one seen", { local: "11.22.33.2", seen: "11.22.33.9" }, "false-address"],
    ["the machine is a carrier's customer itself", { local: "100.64.3.4", seen: "11.22.33.2" }, "carrier-nat"],
    ["the router has the address that is seen", { router: mapped("11.22.33.2"), seen: "11.22.33.2" }, "one-nat"],
    ["the router names a public address and nobody was asked", { router: mapped("11.22.33.2") }, "one-nat"],
    [
      "the router names another address than is seen",
      { router: mapped("5.6.7.8"), seen: "11.22.33.2" },
      "false-address",
    ],
    ["the router's address is private", { router: mapped("192.168.88.2") }, "double-nat"],
    ["the router's address is a carrier's", { router: mapped("100.64.0.2") }, "carrier-nat"],
    ["the router has but a link-local address", { router: mapped("169.254.1.1") }, "another-nat"],
    ["the router does not tell its address", { router: mapped("0.0.0.0"), seen: "11.22.33.2" }, "one-nat"],
    [
      "the router says it has none, and a second router follows",
      { saysNoPublicAddress: true, hops: ["192.168.77.1", "192.168.88.1"] },
      "double-nat",
    ],
    [
      "the router says it has none, and a carrier follows",
      { saysNoPublicAddress: true, hops: ["192.168.77.1", "100.64.0.1"] },
      "carrier-nat",
    ],
    ["the router says it has none, and nobody knows who follows", { saysNoPublicAddress: true }, "another-nat"],
    [
      "a router without port mapping is followed by one at home",
      { hops: ["192.168.77.1", "192.168.88.1"] },
      "double-nat",
    ],
    [
      "a provider numbers its routers privately, and the port is reached",
      { router: mapped("11.22.33.2"), seen: "11.22.33.2", hops: ["192.168.77.1", "10.0.0.1"], proof: "answered" },
      "one-nat",
    ],
    [
      "a provider may number its routers privately, and nobody has tried the port",
      { hops: ["192.168.77.1", "10.0.0.1"], seen: "11.22.33.2" },
      "one-nat",
    ],
    [
      "the router learnt the public address from outside, and the second does not let in",
      { router: mapped("11.22.33.2"), seen: "11.22.33.2", hops: ["192.168.77.1", "192.168.88.1"], proof: "silence" },
      "double-nat",
    ],
    [
      "a second router forwards at our request",
      { router: mapped("11.22.33.2"), seen: "11.22.33.2", isMappedBehind: true, proof: "answered" },
      "double-nat",
    ],
  ])("is known where %s", (_case, evidence, verdict) => {
    expect(classify(evidence).verdict).toBe(verdict);
  });

  it("names both routers, each with its sides, and what can be done at the second", () => {
    const path = classifyPath({
      ...NOTHING,
      router: mapped("192.168.88.2"),
      hops: ["192.168.77.1", "192.168.88.1"],
      seen: "11.22.33.2",
      proof: "silence",
      hasIpv6: true,
    });
    expect(path).toMatchObject({
      verdict: "double-nat",
      publicAddress: "11.22.33.2",
      hops: [
        {
          kind: "home-router",
          address: "192.168.77.1",
          externalAddress: "192.168.88.2",
          learntFrom: ["default-route", "expired-packet", "pcp"],
        },
        {
          kind: "second-router",
          address: "192.168.88.1",
          externalAddress: "11.22.33.2",
          learntFrom: ["expired-packet", "outside"],
        },
      ],
    });
    if (path.state !== "known") return expect.fail("unknown");
    expect(path.advice.map(({ code }) => code)).toEqual([
      "bridge-mode",
      "forward-on-second-router",
      "use-ipv6",
      "relay-meanwhile",
    ]);
    expect(path.advice[1]?.text).toContain("(192.168.88.1), forward UDP port 51820 to your own router (192.168.88.2)");
  });

  it("sends a carrier's customer to the carrier, not to a router", () => {
    expect(classify({ saysNoPublicAddress: true, hops: ["192.168.77.1", "100.64.0.1"], seen: "11.22.33.2" })).toEqual({
      verdict: "carrier-nat",
      code: "carrier-nat",
      advice: ["ask-for-public-address", "relay-meanwhile"],
      hops: ["home-router 192.168.77.1 ?", "carrier 100.64.0.1 11.22.33.2"],
    });
  });

  it("says which address the router claims and which one is seen", () => {
    const path = classifyPath({ ...NOTHING, router: mapped("5.6.7.8"), seen: "11.22.33.2", relayed: false });
    expect(path).toMatchObject({ reason: { message: expect.stringMatching(/5\.6\.7\.8.*11\.22\.33\.2/) } });
    expect(classify({ router: mapped("5.6.7.8"), seen: "11.22.33.2", relayed: false }).advice).toEqual([
      "bridge-mode",
      "ask-for-public-address",
      "set-up-relay",
    ]);
  });

  it("takes a public second hop for the provider's line, not for a box that translates", () => {
    expect(
      classify({ router: mapped("5.6.7.8"), seen: "11.22.33.2", hops: ["192.168.77.1", "11.22.33.1"] }).hops,
    ).toEqual(["home-router 192.168.77.1 5.6.7.8", "second-router ? 11.22.33.2"]);
  });

  it("has no advice for whoever is reached", () => {
    expect(classify({ isMappedBehind: true, proof: "answered" }).advice).toEqual([]);
  });
});
