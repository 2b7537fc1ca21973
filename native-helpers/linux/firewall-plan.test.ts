import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { NetworkSpec } from "../../src-shared/network-spec.ts";
import { sampleIpv4Spec, sampleSpec, validSpecs } from "../../src-shared/testing/sample-spec.ts";
import { printRules } from "../testing/print-rules.ts";
import { CHAIN_PREFIX, planRules } from "./firewall-plan.ts";

function bothFamilies(spec: NetworkSpec): string {
  return `# IPv4\n${printRules(planRules(spec, 4))}\n# IPv6\n${printRules(planRules(spec, 6))}`;
}

/** Rules of one chain, as planned. */
function chainOf(spec: NetworkSpec, table: string, chain: string, family: 4 | 6 = 4): readonly string[] {
  return planRules(spec, family)?.get(table)?.get(chain) ?? [];
}

describe("planRules", () => {
  it("plans both families as in the golden file", async () => {
    await expect(bothFamilies(sampleSpec())).toMatchFileSnapshot("../testing/golden/both-families.txt");
  });

  it("plans IPv4 alone where guests have no IPv6", async () => {
    await expect(bothFamilies(sampleIpv4Spec())).toMatchFileSnapshot("../testing/golden/ipv6-off.txt");
  });

  it("plans no answerer where there is no DNS", async () => {
    await expect(bothFamilies({ ...sampleSpec(), dns: null })).toMatchFileSnapshot("../testing/golden/no-dns.txt");
  });

  it("plans allowances before refusals, and every strict port", async () => {
    const spec = sampleSpec();
    await expect(
      bothFamilies({
        ...spec,
        isolation: {
          ...spec.isolation,
          allowedDestinations: [
            { destination: "192.168.77.9/32", protocol: "tcp", port: 80 },
            { destination: "192.168.77.8/32" },
            { destination: "192.168.77.7/32", port: 53 },
            { destination: "192.168.77.6/32", protocol: "udp" },
            { destination: "fd77::9/128", protocol: "tcp", port: 443 },
          ],
          blockedPorts: [
            { protocol: "tcp", port: 25 },
            { protocol: "tcp", port: 445 },
            { protocol: "udp", port: 137 },
          ],
        },
      }),
    ).toMatchFileSnapshot("../testing/golden/allowances-and-strict-ports.txt");
  });

  it("translates to a prefix with tracking, and drops what nobody asked for there, as in the golden file", async () => {
    const spec = sampleSpec();
    const translated = { ...spec, exit: { ...spec.exit, ipv6: "nptv6" as const, ipv6Prefix: "2a0a:66:0:1::/64" } };
    await expect(`# IPv6\n${printRules(planRules(translated, 6))}`).toMatchFileSnapshot(
      "../testing/golden/ipv6-translated-prefix.txt",
    );
    expect(planRules(translated, 4)).toEqual(planRules(spec, 4));
  });

  it("translates nothing where guests' addresses are routed, and lets in no more than ever", () => {
    const spec = sampleSpec();
    const routed = { ...spec, exit: { ...spec.exit, ipv6: "routed" as const } };
    expect(chainOf(routed, "nat", "HIGGS-POSTROUTING", 6)).toEqual([]);
    expect(chainOf(routed, "filter", "HIGGS-FORWARD", 6)).toEqual(chainOf(spec, "filter", "HIGGS-FORWARD", 6));
  });

  it("refuses guests of a family that is not let out, before anything else is asked", () => {
    const spec = sampleSpec();
    const refusing = { ...spec, exit: { ...spec.exit, ipv6: "off" as const } };
    expect(chainOf(refusing, "filter", "HIGGS-GUEST", 6)).toEqual(["-j REJECT --reject-with icmp6-adm-prohibited"]);
    expect(chainOf(refusing, "nat", "HIGGS-POSTROUTING", 6)).toEqual([]);
  });
});

describe("every plan", () => {
  it("has one line per rule and nothing in it that iptables-restore takes for something else", () => {
    fc.assert(
      fc.property(validSpecs(), fc.constantFrom(4 as const, 6 as const), (spec, family) => {
        for (const [, chains] of planRules(spec, family) ?? []) {
          for (const [chain, rules] of chains) {
            expect(chain.startsWith(CHAIN_PREFIX)).toBe(true);
            // Letters, digits and the punctuation of addresses and options: no newline, quote, star or colon first.
            for (const rule of rules) expect(rule).toMatch(/^(-[a-z]|! -[a-z])[A-Za-z0-9 !.,:/[\]_-]*$/);
          }
        }
      }),
    );
  });

  it("ends guests' forwarding chain with a verdict, and drops forged sources first", () => {
    fc.assert(
      fc.property(validSpecs(), fc.constantFrom(4 as const, 6 as const), (spec, family) => {
        const rules = chainOf(spec, "filter", "HIGGS-GUEST", family);
        if (rules.length < 2) return;
        const guests = family === 4 ? spec.guests.ipv4 : spec.guests.ipv6;
        expect(rules[0]).toBe(`! -s ${guests} -j DROP`);
        expect(rules.at(-1)).toBe("-j ACCEPT");
      }),
    );
  });

  it("never lets a guest reach the host but for DNS, echo and answers", () => {
    fc.assert(
      fc.property(validSpecs(), (spec) => {
        const rules = chainOf(spec, "filter", "HIGGS-INPUT");
        const refusal = rules.indexOf("-i higgs0 -j REJECT --reject-with icmp-admin-prohibited");
        const accepted = rules.slice(0, refusal).filter((rule) => rule.includes("-j ACCEPT"));
        expect(refusal).toBeGreaterThan(0);
        for (const rule of accepted) {
          expect(rule).toMatch(
            /--dport \d+ -j ACCEPT$|--icmp-type 8 -j ACCEPT$|--ctstate RELATED,ESTABLISHED -j ACCEPT$/,
          );
        }
      }),
    );
  });

  it("masquerades guests only, and never back into the tunnel", () => {
    fc.assert(
      fc.property(validSpecs(), (spec) => {
        const wanted =
          spec.exit.ipv4 === "off" ? [] : ["-o lo -j RETURN", `-s ${spec.guests.ipv4} ! -o higgs0 -j MASQUERADE`];
        expect(chainOf(spec, "nat", "HIGGS-POSTROUTING")).toEqual(wanted);
      }),
    );
  });
});
