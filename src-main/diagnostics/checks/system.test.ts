import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Capabilities } from "../../../src-shared/network-observation.ts";
import { fail } from "../../../src-shared/result.ts";
import { CAPABILITIES } from "../../node/testing/fake-machine.ts";
import type { Verdict } from "../check.ts";
import { alone, unprivileged, verdictOf } from "../testing/check-context.ts";
import { storageCheck, systemChecks } from "./system.ts";

function withCapabilities(id: string, changes: Partial<Capabilities>): Promise<Verdict> {
  return verdictOf(systemChecks, id, alone({ capabilities: { ...CAPABILITIES, ...changes } }));
}

describe("what the machine must have", () => {
  it("passes on an ordinary machine", async () => {
    for (const id of ["system.privileges", "system.programs", "system.wireguard", "system.ipv6", "system.clock"]) {
      expect(await verdictOf(systemChecks, id, alone())).toMatchObject({ outcome: "pass" });
    }
  });

  it("needs privileges, and says how to get them", async () => {
    expect(await verdictOf(systemChecks, "system.privileges", unprivileged())).toEqual({
      outcome: "fail",
      detail: "This needs root.",
      fix: "Run it with sudo.",
    });
    const broken = alone({}, { machine: fail("helper-lost", "It ended.") });
    expect(await verdictOf(systemChecks, "system.privileges", broken)).toMatchObject({
      outcome: "fail",
      fix: "Restart HiggsNode.",
    });
  });

  it("names the programs that are missing and the packages that bring them", async () => {
    const programs = { ...CAPABILITIES.programs, wg: null, ip: null };
    expect(await withCapabilities("system.programs", { programs })).toEqual({
      outcome: "fail",
      detail: "Not installed: ip, wg.",
      fix: "Install them: sudo apt-get install iproute2 wireguard-tools",
    });
  });

  it.each<[string, Partial<Capabilities>, string, RegExp]>([
    ["in the kernel", { wireguard: "kernel" }, "pass", /Linux 6\.1\.0/],
    ["in userspace", { wireguard: "userspace" }, "pass", /wireguard-go/],
    ["nowhere", { wireguard: "none" }, "fail", /no WireGuard/],
  ])("looks for WireGuard: %s", async (_, capabilities, outcome, detail) => {
    const verdict = await withCapabilities("system.wireguard", capabilities);
    expect(verdict.outcome).toBe(outcome);
    expect(verdict.detail).toMatch(detail);
  });

  it("tells a missing program from a missing device", async () => {
    const none = await withCapabilities("system.wireguard", { wireguard: "none" });
    const noTun = await withCapabilities("system.wireguard", { wireguard: "none", tunDevice: false });
    expect(none).toMatchObject({ fix: expect.stringContaining("wireguard-go") });
    expect(noTun).toMatchObject({ fix: expect.stringContaining("modprobe tun") });
  });

  it.each<[string, Partial<Capabilities>, string]>([
    ["no IPv6 at all", { ipv6: false }, "skipped"],
    ["no IPv6 NAT", { nat: { ipv4: true, ipv6: false } }, "warn"],
    ["both", {}, "pass"],
  ])("knows what the kernel can do with IPv6: %s", async (_, capabilities, outcome) => {
    expect((await withCapabilities("system.ipv6", capabilities)).outcome).toBe(outcome);
  });

  it.each([
    [Date.UTC(1970, 0, 1), "warn"],
    [Date.UTC(2026, 0, 1), "pass"],
    [Date.UTC(2101, 0, 1), "warn"],
  ])("judges the clock: %i is a %s", async (nowMs, outcome) => {
    expect((await verdictOf(systemChecks, "system.clock", alone({}, { nowMs }))).outcome).toBe(outcome);
  });
});

describe("where settings are stored", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "higgs-diagnose-"));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function storage(dataDir: string, checks = systemChecks): Promise<Verdict> {
    return verdictOf(checks, "system.storage", alone({}, { dataDir }));
  }

  it("may be a folder that is there, or one that can be made", async () => {
    expect(await storage(folder)).toEqual({ outcome: "pass", detail: `${folder}.` });
    const later = join(folder, "a", "b");
    expect(await storage(later)).toEqual({ outcome: "pass", detail: `${later} (made on first use).` });
  });

  it("must not be a file, nor below one", async () => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    expect((await storage(file)).outcome).toBe("fail");
    expect((await storage(join(file, "below"))).outcome).toBe("fail");
  });

  it("must be writable", async () => {
    const checks = [storageCheck((path) => path !== folder)];
    expect(await storage(join(folder, "a"), checks)).toMatchObject({
      outcome: "fail",
      detail: `${folder} is not writable.`,
    });
  });
});
