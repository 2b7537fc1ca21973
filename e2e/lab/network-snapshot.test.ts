import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { plantForeignRules } from "./foreign-rules.ts";
import { InternetUser } from "./internet-user.ts";
import { Lab } from "./lab.ts";
import { NetworkSnapshot } from "./network-snapshot.ts";
import { requireLab } from "./support.ts";

describe.skipIf(!requireLab())("a snapshot of a host's network", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.create({ router: { mapping: "none" } });
  });
  afterAll(() => lab?.dispose());

  const take = () => NetworkSnapshot.take(lab.host("node"));
  const exec = (line: string) => lab.host("node").mustExec(line.split(" "));

  it("reads the same again after traffic, and after a table was only looked at", async () => {
    const before = await take();
    expect(before.text).toContain("net.ipv4.ip_forward = 0");
    await new InternetUser(lab.host("node")).fetch("http://www.example.test/");
    await exec("iptables -t mangle -L");
    await exec("ip6tables -t nat -L");
    expect(NetworkSnapshot.diff(before, await take())).toEqual([]);
  });

  // Each change with its undoing, and what the difference must speak of.
  const changes: [string, string, string][] = [
    ["iptables -A FORWARD -j ACCEPT", "iptables -D FORWARD -j ACCEPT", "iptables: + -A FORWARD -j ACCEPT"],
    ["ip6tables -P FORWARD DROP", "ip6tables -P FORWARD ACCEPT", "ip6tables: + :FORWARD DROP"],
    ["ip6tables -t nat -N MINE", "ip6tables -t nat -X MINE", "ip6tables: + :MINE -"],
    ["nft add table inet mine", "nft delete table inet mine", "nft: + table inet mine {"],
    ["sysctl -qw net.ipv4.ip_forward=1", "sysctl -qw net.ipv4.ip_forward=0", "sysctl: + net.ipv4.ip_forward = 1"],
    [
      "sysctl -qw net.ipv6.conf.eth0.accept_ra=2",
      "sysctl -qw net.ipv6.conf.eth0.accept_ra=1",
      "sysctl: + net.ipv6.conf.eth0.accept_ra = 2",
    ],
    ["ip link set dev eth0 mtu 1400", "ip link set dev eth0 mtu 1500", "link: + eth0 type ether kind veth mtu 1400"],
    ["ip address add 10.1.2.3/32 dev lo", "ip address del 10.1.2.3/32 dev lo", "address: + lo inet 10.1.2.3/32 global"],
    ["ip route add 10.9.0.0/16 dev eth0 table 77", "ip route flush table 77", "route: + 10.9.0.0/16 dev eth0 table 77"],
    ["ip -6 route add 2a0a:5::/32 dev eth0", "ip -6 route del 2a0a:5::/32 dev eth0", "route6: + 2a0a:5::/32 dev eth0"],
    ["ip rule add fwmark 7 table 77", "ip rule del fwmark 7 table 77", "rule: + 32765: from all fwmark 0x7 lookup 77"],
    ["tc qdisc add dev eth0 root handle 1: htb", "tc qdisc del dev eth0 root", "qdisc: + qdisc htb 1: dev eth0 root"],
    ["tc qdisc add dev eth0 ingress", "tc qdisc del dev eth0 ingress", "qdisc: + qdisc ingress ffff: dev eth0"],
  ];

  it.each(changes)("sees `%s` and its undoing", async (change, undo, difference) => {
    const before = await take();
    await exec(change);
    const changed = NetworkSnapshot.diff(before, await take());
    expect(changed.some((line) => line.startsWith(difference))).toBe(true);
    await exec(undo);
    expect(NetworkSnapshot.diff(before, await take())).toEqual([]);
  });

  it("sees rules that changed places", async () => {
    for (const port of [1, 2]) await exec(`iptables -A FORWARD -p tcp --dport ${port} -j DROP`);
    const before = await take();
    await exec("iptables -D FORWARD 1");
    await exec("iptables -A FORWARD -p tcp --dport 1 -j DROP");
    expect(NetworkSnapshot.diff(before, await take())).toEqual(["iptables: the same lines in another order"]);
    await exec("iptables -F FORWARD");
  });

  it("sees the rules of other programs, and that they stay as they are under traffic", async () => {
    const clean = await take();
    await plantForeignRules(lab.host("node"));
    const planted = await take();
    const added = NetworkSnapshot.diff(clean, planted);
    for (const part of ["iptables: + -A DOCKER-USER", "ip6tables: + :ufw6-user-input", "iptables: + :FORWARD DROP"]) {
      expect(added.some((line) => line.startsWith(part))).toBe(true);
    }
    expect(added).toContain("nft: + table inet othervpn {");
    expect(planted.text).not.toMatch(/\[[0-9]+:[0-9]+\]|packets [0-9]/);
    const node = new InternetUser(lab.host("node"));
    expect(await node.fetch("http://www.example.test/", { family: 4 })).toMatchObject({ ok: true });
    expect(await node.fetch("http://www.example.test/", { family: 6 })).toMatchObject({ ok: true });
    expect(NetworkSnapshot.diff(planted, await take())).toEqual([]);
  });
});
