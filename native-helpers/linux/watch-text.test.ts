import { describe, expect, it } from "vitest";
import { kindsInIpMonitor, touchesOurRules } from "./watch-text.ts";

/** `ip monitor label …` of iproute2 6.1.0 while an address was added to an interface and forwarding was switched on. */
const ADDRESS_AND_FORWARDING = `[ADDR]3: u0    inet6 fe80::3889:6cff:fe7c:4f89/64 scope link
       valid_lft forever preferred_lft forever
[ROUTE]local fe80::3889:6cff:fe7c:4f89 dev u0 table local proto kernel metric 0 pref medium
[NETCONF]inet u0 forwarding on
[NETCONF]inet all forwarding on `;

/** While a userspace tunnel lost its process. */
const TUNNEL_GONE = `[LINK]4: higgs0: <POINTOPOINT,NOARP> mtu 1420 qdisc noop state DOWN group default
    link/none
[ADDR]Deleted 4: higgs0    inet 10.66.0.1/16 scope global higgs0
       valid_lft forever preferred_lft forever
[ROUTE]Deleted 10.66.0.0/16 dev higgs0 proto kernel scope link src 10.66.0.1
[LINK]Deleted 4: higgs0: <POINTOPOINT,NOARP> mtu 1420 qdisc noop state DOWN group default
    link/none`;

/** `nft monitor rules` of nftables 1.0.6 while each command ran. */
const FLUSHED = `delete rule ip filter HIGGS-FORWARD handle 2
delete rule ip filter FORWARD handle 4`;
const FLUSHED_JUMPS_ALONE = "delete rule ip6 nat POSTROUTING handle 4";
const DOCKER_STARTED = `add rule ip nat DOCKER meta l4proto tcp counter packets 0 bytes 0 dnat to 1.2.3.4
insert rule ip filter FORWARD counter packets 0 bytes 0 jump DOCKER-USER`;

describe("what ip monitor prints", () => {
  it("tells of addresses, routes and forwarding", () => {
    expect([...kindsInIpMonitor(ADDRESS_AND_FORWARDING)].sort()).toEqual(["address", "forwarding", "route"]);
  });

  it("tells of a tunnel that has gone", () => {
    expect([...kindsInIpMonitor(TUNNEL_GONE)].sort()).toEqual(["address", "link", "route"]);
  });

  it("tells of routing rules", () => {
    expect([...kindsInIpMonitor("[RULE]0:\tfrom all fwmark 0x1 lookup 100\n")]).toEqual(["rule"]);
  });

  it.each([
    "[NETCONF]inet u0 mc_forwarding on",
    "[NETCONF]inet u0 rp_filter strict",
    "[NETCONF]inet u0 proxy_neigh on",
    "[NEIGH]192.168.77.1 dev eth0 lladdr 02:00:00:00:00:01 REACHABLE",
    "    link/none [LINK]",
    "",
  ])("says nothing of what does not matter: %j", (line) => {
    expect([...kindsInIpMonitor(line)]).toEqual([]);
  });
});

describe("what nft monitor prints", () => {
  it.each([
    ["our chain was emptied, and its jump", FLUSHED],
    ["a jump was taken out", FLUSHED_JUMPS_ALONE],
    ["a rule was put before our jump", DOCKER_STARTED],
    ["a rule was added to our chain", "add rule ip mangle HIGGS-MSS counter packets 0 bytes 0 accept"],
    ["events were lost", "# ERROR: We lost some netlink events!"],
  ])("means a look at our rules where %s", (_, text) => {
    expect(touchesOurRules(`add rule inet f2b c ip saddr 10.0.0.1 drop\n${text}\n`)).toBe(true);
  });

  it.each([
    ["a table of another program", "add rule inet f2b c ip saddr 10.0.0.1 drop\ndelete rule inet f2b c handle 3"],
    ["another chain in a table we use", "delete rule ip filter ufw-user-input handle 9"],
    ["a rule behind our jump", "add rule ip filter FORWARD counter packets 0 bytes 0 jump KUBE-FORWARD"],
    ["a chain that begins like a built-in one", "delete rule ip filter FORWARD_direct handle 12"],
    ["a built-in chain we have no rule in", "delete rule ip nat OUTPUT handle 3"],
    ["a chain of ours by name in another program's text", 'add rule inet f2b c comment "add rule ip filter HIGGS-X"'],
  ])("means nothing where it is %s", (_, text) => {
    expect(touchesOurRules(text)).toBe(false);
  });
});
