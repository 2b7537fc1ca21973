import { describe, expect, it } from "vitest";
import { judgeRule, type Match, type TracedPacket } from "./rule-match.ts";

const PACKET: TracedPacket = {
  source: "10.66.0.2",
  destination: "192.0.2.80",
  protocol: "tcp",
  sourcePort: 50_000,
  destinationPort: 443,
  inInterface: "higgs0",
  outInterface: "eth0",
  state: "NEW",
  mark: 0x40000,
  local: ["192.168.1.20"],
};

describe("judgeRule", () => {
  it.each<[string, Match]>([
    ["-j DROP", "yes"],
    ["-s 10.66.0.0/16 ! -o higgs0 -j MASQUERADE", "yes"],
    ["! -s 10.66.0.0/16 -j DROP", "no"],
    ["-d 192.0.2.80/32 -i higgs+ -p tcp -m tcp --dport 443 -j ACCEPT", "yes"],
    ["-i eth0 -j DROP", "no"],
    ["-p udp -m udp --dport 443 -j DROP", "no"],
    ["-p tcp -m multiport --dports 80,400:500 -j DROP", "yes"],
    ["-p tcp -m multiport ! --dports 80,400:500 -j DROP", "no"],
    ["-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "no"],
    ["-m conntrack ! --ctstate NEW -j ACCEPT", "no"],
    ["-m conntrack --ctstate INVALID,NEW -j ACCEPT", "yes"],
    ["-m conntrack --ctstate DNAT -j ACCEPT", "unclear"],
    ["-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT", "yes"],
    ["-p tcp -m tcp --tcp-flags SYN,ACK SYN,ACK -j ACCEPT", "no"],
    ["-m mark --mark 0x40000/0xff0000 -j ACCEPT", "yes"],
    ["-m mark --mark 0x1 -j ACCEPT", "no"],
    ["-m addrtype --dst-type LOCAL -j DOCKER", "no"],
    ["-m addrtype ! --dst-type LOCAL -j DOCKER", "yes"],
    ["-m iprange --dst-range 192.0.2.1-192.0.2.99 -j DROP", "yes"],
    ['-m comment --comment "a -j DROP in words" -j ACCEPT', "yes"],
    ["-m limit --limit 3/min -j ACCEPT", "unclear"],
    ["-p udp -m limit --limit 3/min -j ACCEPT", "no"],
    ["-m set --match-set blocked dst -j DROP", "unclear"],
    ["-m owner --uid-owner 1000 -j DROP", "unclear"],
  ])("of %s says %s", (rule, match) => {
    expect(judgeRule(rule, PACKET).match).toBe(match);
  });

  it("tells the target with its options, and what it could not judge", () => {
    const judged = judgeRule("-m recent --update -j REJECT --reject-with icmp-port-unreachable", PACKET);
    expect(judged.target).toEqual({
      kind: "jump",
      name: "REJECT",
      options: ["--reject-with", "icmp-port-unreachable"],
    });
    expect(judged.unclear).toEqual(["-m recent", "--update"]);
    expect(judgeRule("-g elsewhere", PACKET).target).toMatchObject({ kind: "goto", name: "elsewhere" });
    expect(judgeRule("-p tcp", PACKET).target).toBeUndefined();
  });
});
