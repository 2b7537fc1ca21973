import { describe, expect, it } from "vitest";
import type { NftHook } from "../../../src-shared/helper/diagnostics.ts";
import { type PacketQuestion, tracePacket } from "./trace-packet.ts";

const OURS = `*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:HIGGS-FORWARD - [0:0]
:HIGGS-GUEST - [0:0]
-A FORWARD -j HIGGS-FORWARD
-A HIGGS-FORWARD -i higgs0 -j HIGGS-GUEST
-A HIGGS-GUEST ! -s 10.66.0.0/16 -j DROP
-A HIGGS-GUEST -d 192.168.0.0/16 -j REJECT --reject-with icmp-admin-prohibited
-A HIGGS-GUEST -p tcp -m tcp --dport 25 -j REJECT --reject-with tcp-reset
-A HIGGS-GUEST -j ACCEPT
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -d 10.66.0.1/32 -i higgs0 -p udp -m udp --dport 53 -j DNAT --to-destination 10.66.0.1:20053
-A POSTROUTING -s 10.66.0.0/16 ! -o higgs0 -j MASQUERADE
COMMIT
`;

/** @param forward rules of FORWARD, in place of ours */
function withForward(forward: readonly string[], policy = "ACCEPT", chains: readonly string[] = []): string {
  return [
    "*filter",
    ":INPUT ACCEPT [0:0]",
    `:FORWARD ${policy} [0:0]`,
    ...chains.map((name) => `:${name} - [0:0]`),
    ...forward,
    "COMMIT",
  ].join("\n");
}

function ask(ipv4: string | null, more: Partial<PacketQuestion> = {}, nft: NftHook[] = []) {
  return tracePacket({
    source: "10.66.0.2",
    to: "192.0.2.80",
    port: 443,
    protocol: "tcp",
    inInterface: "higgs0",
    firewall: { ipv4, ipv6: null, nft },
    route: { state: "found", kind: "unicast", interfaceName: "eth0", gateway: "192.168.1.1" },
    local: ["192.168.1.20", "10.66.0.1"],
    ...more,
  });
}

function hook(facts: Partial<NftHook> = {}): NftHook {
  return {
    family: "inet",
    table: "firewalld",
    chain: "filter_FORWARD",
    hook: "forward",
    policy: "drop",
    rules: 0,
    mayRefuse: true,
    ...facts,
  };
}

describe("a packet's way through the rules", () => {
  it("leads a guest out, translated, past everything that does not concern it", () => {
    const path = ask(OURS);
    expect(path.verdict).toBe("passes");
    expect(path.steps.map(({ place, effect }) => `${place} ${effect}`)).toEqual([
      "route passes",
      "filter HIGGS-GUEST passes",
      "nat POSTROUTING translates",
    ]);
  });

  it.each([
    ["the home network", { to: "192.168.1.1", port: 80 }, "-d 192.168.0.0/16"],
    ["a refused port", { port: 25 }, "--dport 25"],
    ["a forged source", { source: "10.99.0.2" }, "! -s 10.66.0.0/16"],
  ])("ends at our own rule for %s, and names it", (_, more, rule) => {
    const path = ask(OURS, more);
    expect(path).toMatchObject({
      verdict: "blocked",
      steps: expect.arrayContaining([expect.objectContaining({ owner: "HiggsNode" })]),
    });
    expect(path.reason).toContain("HiggsNode refuses it: filter HIGGS-GUEST:");
    expect(path.reason).toContain(rule);
  });

  it("turns a question for a name to this machine itself, and asks INPUT in place of FORWARD", () => {
    const input = OURS.replace(":INPUT ACCEPT", ":INPUT DROP");
    const path = ask(input, { to: "10.66.0.1", port: 53, protocol: "udp" });
    expect(path.steps.map(({ effect }) => effect)).toEqual(["translates", "passes", "drops"]);
    expect(path.verdict).toBe("blocked");
  });

  it.each([
    ["ufw", ["-A FORWARD -j ufw-reject-forward", "-A ufw-reject-forward -j REJECT"], ["ufw-reject-forward"], "ufw"],
    ["Docker", ["-A FORWARD -j DOCKER-USER", "-A DOCKER-USER -i higgs0 -j DROP"], ["DOCKER-USER"], "Docker"],
    ["libvirt", ["-A FORWARD -j LIBVIRT_FWX", "-A LIBVIRT_FWX -j DROP"], ["LIBVIRT_FWX"], "libvirt"],
    ["wg-quick", ['-A FORWARD -m comment --comment "wg-quick(8) rule for wg0" -j DROP'], [], "wg-quick"],
    ["somebody", ["-A FORWARD -i higgs0 -j DROP"], [], "another program"],
  ])("names %s as the one who refuses", (_, rules, chains, owner) => {
    const path = ask(withForward(rules, "ACCEPT", chains));
    expect(path.verdict).toBe("blocked");
    expect(path.steps.at(-1)).toMatchObject({ owner });
    expect(path.fix).toBeTruthy();
  });

  it("follows jumps, gotos and returns as the kernel does", () => {
    const rules = [
      "-A FORWARD -j first",
      "-A FORWARD -j DROP",
      "-A first -p udp -j DROP",
      "-A first -g second",
      "-A first -j DROP",
      "-A second -i higgs0 -j RETURN",
      "-A second -j DROP",
    ];
    // The goto does not come back to `first`, but to FORWARD.
    expect(ask(withForward(rules, "ACCEPT", ["first", "second"])).steps.at(-1)).toMatchObject({
      place: "filter FORWARD",
      effect: "drops",
    });
  });

  it("keeps the mark that one rule sets for the next one", () => {
    const rules = [
      "-A FORWARD -i higgs0 -j MARK --set-xmark 0x40000/0xff0000",
      "-A FORWARD -m mark --mark 0x40000/0xff0000 -j ACCEPT",
    ];
    expect(ask(withForward(rules, "DROP")).verdict).toBe("passes");
  });

  it("falls to the policy, which is named", () => {
    const path = ask(withForward([], "DROP"));
    expect(path).toMatchObject({ verdict: "blocked", reason: expect.stringContaining("-P FORWARD DROP") });
  });

  it("takes a rule it cannot judge for neither a yes nor a no", () => {
    const limited = "-A FORWARD -m limit --limit 3/min -j ACCEPT";
    expect(ask(withForward([limited])).verdict).toBe("unclear");
    const dropped = ask(withForward([limited], "DROP"));
    expect(dropped.verdict).toBe("unclear");
    expect(dropped.reason).toContain("could not be judged");
    // What only writes to the log, or leads nowhere, decides nothing.
    const harmless = ["-A FORWARD -m limit --limit 3/min -j LOG", "-A FORWARD -m limit --limit 3/min -j nothing"];
    expect(ask(withForward(harmless, "ACCEPT", ["nothing"])).verdict).toBe("passes");
  });

  it("asks the tables that only nftables knows, each where it hooks", () => {
    expect(ask(OURS, {}, [hook()])).toMatchObject({ verdict: "blocked", reason: expect.stringContaining("firewalld") });
    expect(ask(OURS, {}, [hook({ rules: 3 })]).verdict).toBe("unclear");
    expect(ask(OURS, {}, [hook({ family: "ip6" })]).verdict).toBe("passes");
    expect(ask(OURS, {}, [hook({ hook: "input" })]).verdict).toBe("passes");
    expect(ask(OURS, {}, [hook({ mayRefuse: false, policy: "accept" })]).verdict).toBe("passes");
  });

  it("ends where there is no route, or no rules to read", () => {
    const nowhere = ask(OURS, { route: { state: "none", reason: "Network is unreachable" } });
    expect(nowhere).toMatchObject({ verdict: "blocked", reason: expect.stringContaining("Network is unreachable") });
    expect(ask(null)).toMatchObject({ verdict: "unclear", steps: [] });
  });
});
