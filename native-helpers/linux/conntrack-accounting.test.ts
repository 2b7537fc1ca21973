import { mkdirSync, mkdtempSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isAccountingKey, planAccounting } from "./conntrack-accounting.ts";
import { readNetlinkDrops, sumDrops } from "./conntrack-drops.ts";
import { restoreSysctls, SysctlTree } from "./sysctl.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "conntrack-accounting-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function settings(values: Record<string, string>): SysctlTree {
  mkdirSync(join(root, "net/netfilter"), { recursive: true });
  for (const [name, value] of Object.entries(values)) writeFileSync(join(root, "net/netfilter", name), `${value}\n`);
  return new SysctlTree(root);
}

describe("planAccounting", () => {
  it("switches counting and times on, remembers what was, and is undone by the journal's entries", () => {
    const tree = settings({ nf_conntrack_acct: "0", nf_conntrack_timestamp: "0", nf_conntrack_events: "2" });
    const plan = planAccounting(tree);
    expect(plan.writes.map(({ key }) => key)).toEqual([
      "net/netfilter/nf_conntrack_acct",
      "net/netfilter/nf_conntrack_timestamp",
    ]);
    for (const { key, value } of plan.writes) tree.write(key, value);
    expect(planAccounting(tree)).toEqual({ writes: [], saves: [] });
    expect(restoreSysctls(tree, plan.saves).undone).toHaveLength(2);
    expect(tree.read("net/netfilter/nf_conntrack_acct")).toBe("0");
    expect(tree.read("net/netfilter/nf_conntrack_timestamp")).toBe("0");
  });

  it("leaves alone what is on already, and what the kernel has not", () => {
    expect(planAccounting(settings({ nf_conntrack_acct: "1" }))).toEqual({ writes: [], saves: [] });
  });

  it("switches events on where somebody has switched them off", () => {
    expect(planAccounting(settings({ nf_conntrack_events: "0" })).writes).toEqual([
      { key: "net/netfilter/nf_conntrack_events", value: "1" },
    ]);
  });

  it("knows its keys", () => {
    expect(isAccountingKey("net/netfilter/nf_conntrack_acct")).toBe(true);
    expect(isAccountingKey("net/ipv4/conf/eth0/forwarding")).toBe(false);
  });
});

const TABLE = `sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode
000000007a80028f 12  3738748567 00000004 0        0        0     2        3318     1005923
00000000374e1729 12  30144      00000000 0        0        0     2        0        1005926
000000009ea5551f 12  2221637444 00000004 0        0        0     2        3536     1005927
`;

describe("drops of netlink sockets", () => {
  it("are summed over the sockets of one process", () => {
    expect(sumDrops(TABLE, new Set(["1005923", "1005926"]))).toBe(3318);
    expect(sumDrops(TABLE, new Set(["1"]))).toBeUndefined();
    expect(sumDrops("", new Set(["1"]))).toBeUndefined();
  });

  it("are found through the open files of the process", () => {
    mkdirSync(join(root, "77/fd"), { recursive: true });
    mkdirSync(join(root, "77/net"));
    symlinkSync("socket:[1005927]", join(root, "77/fd/4"));
    symlinkSync("/dev/null", join(root, "77/fd/0"));
    writeFileSync(join(root, "77/net/netlink"), TABLE);
    expect(readlinkSync(join(root, "77/fd/4"))).toBe("socket:[1005927]");
    expect(readNetlinkDrops(77, root)).toBe(3536);
    expect(readNetlinkDrops(78, root)).toBeUndefined();
  });
});
