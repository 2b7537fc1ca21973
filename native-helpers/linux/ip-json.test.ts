import { describe, expect, it } from "vitest";
import { readHeldPrefixes, readRoutes } from "./ip-json.ts";
import type { Run } from "./run.ts";

/** What `ip -json -6 route show table main` (iproute2 6.1) prints where systemd-networkd holds a delegated /56. */
const ROUTES = JSON.stringify([
  { dst: "2a0a:67::/64", dev: "eth1", protocol: "kernel", metric: 256, flags: [], pref: "medium" },
  { type: "unreachable", dst: "2a0a:67::/56", dev: "lo", protocol: "dhcp", metric: 1024, flags: [], pref: "medium" },
  { type: "blackhole", dst: "fd77::/48", dev: "lo", protocol: "static", metric: 1024, flags: [], pref: "medium" },
  { type: "unreachable", dst: "default", dev: "lo", metric: 4294967295, flags: [], pref: "medium" },
  { dst: "default", gateway: "fe80::1", dev: "eth0", protocol: "ra", metric: 1024, flags: [], pref: "medium" },
]);

const printing =
  (stdout: string, code = 0): Run =>
  (_program, args) =>
    Promise.resolve({ code, stdout: args.includes("-6") ? stdout : "[]", stderr: "", missing: false });

describe("reading routes", () => {
  it("knows a delegated prefix by the route that bars it, and global ones alone", async () => {
    expect(await readHeldPrefixes(printing(ROUTES))).toEqual(["2a0a:67::/56"]);
    const seen = await readRoutes(printing(ROUTES));
    expect(seen.map(({ destination }) => destination)).toEqual(["2a0a:67::/64", "default"]);
  });

  it.each([
    ["fails", "", 1],
    ["prints nonsense", "{", 0],
    ["prints nothing", "", 0],
  ])("knows of none where ip %s", async (_case, stdout, code) => {
    expect(await readHeldPrefixes(printing(stdout, code))).toEqual([]);
  });
});
