import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { planForwarding, restoreSysctls, SysctlTree } from "./sysctl.ts";

let root: string;
let tree: SysctlTree;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "higgs-sysctl-"));
  tree = new SysctlTree(root);
  for (const name of ["all", "default", "lo", "eth0", "eth0.100", "higgs0"]) {
    set(`net/ipv4/conf/${name}/forwarding`, "0");
    set(`net/ipv6/conf/${name}/forwarding`, "0");
    set(`net/ipv6/conf/${name}/accept_ra`, "1");
  }
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function set(key: string, value: string): void {
  mkdirSync(dirname(join(root, key)), { recursive: true });
  writeFileSync(join(root, key), `${value}\n`);
}

function settingOf(key: string): string {
  return readFileSync(join(root, key), "utf8").trim();
}

const ipv4Only = { own: "higgs0", uplinks: ["eth0"], ipv4: true, ipv6: false };
const ipv6Only = { ...ipv4Only, ipv4: false, ipv6: true };

describe("SysctlTree", () => {
  it.each([
    "net/ipv4/ip_forward",
    "net/ipv4/conf/../../../kernel/core_pattern",
    "net/ipv4/conf/../forwarding",
    "net/ipv4/conf/eth0/../../forwarding",
    "net/ipv4/conf/eth0/forwarding/../rp_filter",
    "net/ipv4/conf/eth0/rp_filter",
    "net/ipv4/conf/./forwarding",
    "net/ipv4/conf//forwarding",
    "net/ipv4/conf/eth0/forwarding\n",
    "net/ipv4/conf/eth0\0/forwarding",
    "kernel/core_pattern",
    "/etc/passwd",
    "",
  ])("writes no %j", (key) => {
    expect(() => tree.write(key, "1")).toThrow(TypeError);
    expect(tree.read(key)).toBeUndefined();
  });

  it("stays below its root with any key", () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        const key = `net/ipv4/conf/${name}/forwarding`;
        fc.pre(name.includes("/") || name.includes("..") || name === "." || name === "");
        if (/^[A-Za-z0-9_]/.test(name) && !name.includes("/")) return;
        expect(() => tree.write(key, "1")).toThrow(TypeError);
      }),
    );
  });
});

describe("planForwarding", () => {
  it("switches IPv4 on for our interface and the uplinks, never for the machine", () => {
    const plan = planForwarding(tree, ipv4Only);
    expect(plan.writes.map(({ key }) => key)).toEqual([
      "net/ipv4/conf/higgs0/forwarding",
      "net/ipv4/conf/eth0/forwarding",
    ]);
    expect(plan.saves).toContainEqual({ key: "net/ipv4/conf/eth0/forwarding", original: "0" });
  });

  it("takes an interface name with a dot for what it is", () => {
    const plan = planForwarding(tree, { ...ipv4Only, uplinks: ["eth0.100"] });
    expect(plan.writes).toContainEqual({ key: "net/ipv4/conf/eth0.100/forwarding", value: "1" });
  });

  it("takes no uplink that stands for the whole machine", () => {
    const plan = planForwarding(tree, { ...ipv4Only, uplinks: ["all", "default"] });
    expect(plan.writes.map(({ key }) => key)).toEqual(["net/ipv4/conf/higgs0/forwarding"]);
  });

  it("makes router advertisements survive before it switches IPv6 forwarding on", () => {
    const keys = planForwarding(tree, ipv6Only).writes.map(({ key, value }) => `${key}=${value}`);
    expect(keys.at(-1)).toBe("net/ipv6/conf/all/forwarding=1");
    expect(keys.indexOf("net/ipv6/conf/eth0/accept_ra=2")).toBeGreaterThanOrEqual(0);
    expect(keys.filter((key) => key.includes("/forwarding"))).toHaveLength(1);
  });

  it("leaves accept_ra alone where it is switched off or set already", () => {
    set("net/ipv6/conf/eth0/accept_ra", "0");
    set("net/ipv6/conf/lo/accept_ra", "2");
    const keys = planForwarding(tree, ipv6Only).writes.map(({ key }) => key);
    expect(keys).not.toContain("net/ipv6/conf/eth0/accept_ra");
    expect(keys).not.toContain("net/ipv6/conf/lo/accept_ra");
  });

  it("saves every value that the write to all changes", () => {
    set("net/ipv6/conf/eth0/forwarding", "1");
    const saves = planForwarding(tree, ipv6Only).saves;
    expect(saves).toContainEqual({ key: "net/ipv6/conf/eth0/forwarding", original: "1" });
    expect(saves).toContainEqual({ key: "net/ipv6/conf/default/forwarding", original: "0" });
    expect(saves).toContainEqual({ key: "net/ipv6/conf/all/forwarding", original: "0" });
  });

  it("wants nothing where everything is on already, or the kernel has no IPv6", () => {
    for (const name of ["higgs0", "eth0"]) set(`net/ipv4/conf/${name}/forwarding`, "1");
    rmSync(join(root, "net/ipv6"), { recursive: true });
    expect(planForwarding(tree, { ...ipv4Only, ipv6: true })).toEqual({ writes: [], saves: [] });
  });
});

describe("restoreSysctls", () => {
  it("puts back in an order in which all cannot undo the rest, and accept_ra last", () => {
    const written: string[] = [];
    class Recording extends SysctlTree {
      override write(key: string, value: string): void {
        written.push(key);
        super.write(key, value);
      }
    }
    const recording = new Recording(root);
    const { saves } = planForwarding(recording, ipv6Only);
    for (const { key } of saves) set(key, key.endsWith("accept_ra") ? "2" : "1");
    expect(restoreSysctls(recording, saves).failed).toEqual([]);
    expect(written[0]).toBe("net/ipv6/conf/all/forwarding");
    expect(written.at(-1)).toMatch(/accept_ra$/);
    for (const { key, original } of saves) expect(settingOf(key)).toBe(original);
  });

  it("leaves IPv4 forwarding on that was switched on for the machine meanwhile", () => {
    const { saves } = planForwarding(tree, ipv4Only);
    for (const name of ["all", "default", "eth0"]) set(`net/ipv4/conf/${name}/forwarding`, "1");
    expect(restoreSysctls(tree, saves)).toEqual({ undone: [], failed: [] });
    expect(settingOf("net/ipv4/conf/eth0/forwarding")).toBe("1");
  });

  it("passes over an interface that is gone and a key that is not ours", () => {
    writeFileSync(join(root, "secret"), "0");
    const saves = [
      { key: "net/ipv4/conf/gone/forwarding", original: "0" },
      { key: "../secret", original: "1" },
    ];
    expect(restoreSysctls(tree, saves)).toEqual({ undone: [], failed: [] });
    expect(settingOf("secret")).toBe("0");
  });

  it("tells what the kernel refuses, and goes on with the rest", () => {
    class Refusing extends SysctlTree {
      override write(key: string, value: string): void {
        if (key.includes("lo/")) throw new Error("Read-only file system");
        super.write(key, value);
      }
    }
    const refusing = new Refusing(root);
    set("net/ipv4/conf/lo/forwarding", "1");
    set("net/ipv4/conf/eth0/forwarding", "1");
    const restored = restoreSysctls(refusing, [
      { key: "net/ipv4/conf/lo/forwarding", original: "0" },
      { key: "net/ipv4/conf/eth0/forwarding", original: "0" },
    ]);
    expect(restored.failed).toEqual(["net.ipv4.conf.lo.forwarding: Read-only file system"]);
    expect(settingOf("net/ipv4/conf/eth0/forwarding")).toBe("0");
  });
});
