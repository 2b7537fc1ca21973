import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PortMappingState } from "../../src-shared/model/port-mapping.ts";
import { FAKE_NOW } from "../ipc/testing/fake-node.ts";
import { portsLine, portsText } from "./ports.ts";
import { CliHarness } from "./testing/cli-harness.ts";

const NOW_MS = Date.parse(FAKE_NOW);
const later = (minutes: number) => new Date(NOW_MS + minutes * 60_000).toISOString();

const MAPPED: PortMappingState = {
  state: "mapped",
  since: FAKE_NOW,
  protocol: "nat-pmp",
  gateway: "192.168.1.1",
  external: { host: "203.0.113.7", port: 60_000 },
  internalPort: 51820,
  leaseEndsAt: later(120),
  renewAt: later(60),
  fallbacks: ["upnp"],
};
const UNAVAILABLE: PortMappingState = {
  state: "unavailable",
  since: FAKE_NOW,
  reason: { code: "router-refused", message: "Your router offers nothing.", hint: "Switch it on." },
  nextProbeAt: later(10),
};

let cli: CliHarness;

beforeEach(async () => {
  cli = await CliHarness.create();
  await cli.serve();
});
afterEach(() => cli.dispose());

describe("higgsnode ports", () => {
  it("prints the state as one JSON document", async () => {
    cli.node.portMapping = MAPPED;
    const { code, out } = await cli.run("ports", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual(MAPPED);
  });

  it("asks the router again on request", async () => {
    cli.node.portMapping = UNAVAILABLE;
    const { code, out } = await cli.run("ports", "refresh");
    expect(code).toBe(0);
    expect(cli.node.calls).toEqual(["ports.refresh"]);
    expect(out).toContain("Your router offers nothing. Switch it on.");
  });

  it("has its line in status", async () => {
    cli.node.portMapping = MAPPED;
    expect((await cli.run("status")).out).toMatch(/Port mapping +203\.0\.113\.7:60000 by NAT-PMP/);
  });
});

describe("portsText", () => {
  it.each<[string, PortMappingState, RegExp]>([
    ["nothing mapped", { state: "off" }, /No port is mapped/],
    ["asking", { state: "probing", since: FAKE_NOW, gateway: "192.168.1.1" }, /Asking the router 192\.168\.1\.1/],
    ["a mapping", MAPPED, /203\.0\.113\.7:60000\n.*51820\/udp[\s\S]*NAT-PMP[\s\S]*2 hours[\s\S]*1 hour[\s\S]*UPnP/],
    ["a permanent one", { ...MAPPED, leaseEndsAt: null, fallbacks: [] }, /without an end[\s\S]*nothing else/],
    ["a private address", { ...MAPPED, external: { host: "10.0.0.2", port: 1 } }, /another router stands in front/],
    ["no address", { ...MAPPED, external: { host: "0.0.0.0", port: 1 } }, /does not tell its address/],
    ["why not", UNAVAILABLE, /Switch it on\.\nAsked again in 10 minutes/],
    ["why never", { ...UNAVAILABLE, nextProbeAt: null }, /Switch it on\.$/],
  ])("tells of %s", (_, state, expected) => {
    expect(portsText(state, NOW_MS)).toMatch(expected);
    expect(portsLine(state) === undefined).toBe(state.state === "off");
  });
});
