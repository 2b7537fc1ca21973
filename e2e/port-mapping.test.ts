import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { NodeState } from "../src-shared/model/node-state.ts";
import type { PortMappingState } from "../src-shared/model/port-mapping.ts";
import {
  LAN,
  type LabOptions,
  nodeProgram,
  type Program,
  poll,
  pollUntil,
  type RouterOptions,
  requireLab,
  WAN,
  WIREGUARD_PORT,
} from "./lab/index.ts";
import type { FakeEntry, FakeIgdOptions } from "./lab/servers/fake-igd.ts";
import { Sharing } from "./sharing.ts";

/** What takes milliseconds on an idle machine, on one that runs other tests. */
const SETTLED_WITHIN_MS = 15_000;

let sharing: Sharing | undefined;

afterEach(async () => {
  await sharing?.dispose();
  sharing = undefined;
});

/** A node that finds out for itself where it is reached; not sharing yet. */
async function nodeBehind(router: Partial<RouterOptions>, options: LabOptions = {}): Promise<Sharing> {
  sharing = await Sharing.create({ router: { mapping: "miniupnpd", ...router }, ...options });
  await sharing.node.mustRun(["settings", "set", "publicEndpoint=auto"]);
  return sharing;
}

async function stateOf({ node }: Sharing): Promise<NodeState> {
  return JSON.parse(await node.mustRun(["status", "--json"])) as NodeState;
}

function waitFor<S extends PortMappingState["state"]>(of: Sharing, state: S, timeoutMs = SETTLED_WITHIN_MS) {
  return poll(
    `the port mapping to be ${state}`,
    async () => {
      const { portMapping } = await stateOf(of);
      return portMapping.state === state ? (portMapping as Extract<PortMappingState, { state: S }>) : undefined;
    },
    { timeoutMs },
  );
}

/** Ports that the router forwards to the node: external → internal. */
async function forwarded({ lab }: Sharing): Promise<Map<number, number>> {
  const rules = (await lab.router.mapping?.rules()) ?? "";
  const found = rules.matchAll(/dport (\d+) dnat ip to 192\.168\.77\.10:(\d+)/g);
  return new Map([...found].map(([, external, internal]) => [Number(external), Number(internal)]));
}

/** The rival at home takes the port that the node will ask for. */
async function rivalTakesPort({ lab }: Sharing, protocol: "nat-pmp" | "upnp"): Promise<void> {
  const program = join(import.meta.dirname, "lab/clients/map-port.ts");
  const argv = [nodeProgram(), program, protocol, LAN.router.ipv4, String(WIREGUARD_PORT), LAN.rival.ipv4];
  await lab.host("rival").mustExec(argv);
  expect(await lab.router.mapping?.rules()).toContain(`dport ${WIREGUARD_PORT} dnat ip to ${LAN.rival.ipv4}`);
}

/** SIGKILL for the node, its helper and the tunnel, as by a power cut. */
async function killEverything({ node }: Sharing): Promise<void> {
  for (const { pid } of node.host.processes()) node.host.kill(pid, "SIGKILL");
  await pollUntil("everything to be dead", () => node.host.processes().length === 0, { timeoutMs: 20_000 });
}

/** The next start listens elsewhere, so that nothing it maps covers what was left. */
function changeListenPort({ node }: Sharing, listenPort: number): void {
  const file = join(node.dataFolder, "settings.json");
  const settings = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
  writeFileSync(file, JSON.stringify({ ...settings, listenPort }));
}

describe.skipIf(!requireLab())("a node behind a router that maps ports", () => {
  it.each([
    ["pcp", { protocols: ["pcp"] }],
    ["nat-pmp", { protocols: ["nat-pmp"] }],
    ["upnp", { protocols: ["upnp"], igd: 1 }],
    ["upnp", { protocols: ["upnp"], igd: 2 }],
  ] as const)("is reached by a guest through %s (%j), until sharing is switched off", async (protocol, router) => {
    const home = await nodeBehind(router);
    expect((await stateOf(home)).portMapping).toEqual({ state: "off" });
    await home.node.mustRun(["on"]);
    const guest = await home.connectGuest("guest");
    expect(await guest.handshakeAge()).toBeLessThan(60);
    const state = await stateOf(home);
    expect(state.portMapping).toMatchObject({
      state: "mapped",
      protocol,
      gateway: LAN.router.ipv4,
      external: { host: WAN.customer.ipv4, port: WIREGUARD_PORT },
      internalPort: WIREGUARD_PORT,
    });
    expect(state.node).toMatchObject({
      exit: { reach: { endpoint: { host: WAN.customer.ipv4, port: WIREGUARD_PORT }, source: "mapping" } },
    });
    expect(await forwarded(home)).toEqual(new Map([[WIREGUARD_PORT, WIREGUARD_PORT]]));
    await home.node.mustRun(["off"]);
    expect(await forwarded(home)).toEqual(new Map());
    expect(JSON.parse(await home.node.mustRun(["ports", "--json"]))).toEqual({ state: "off" });
  });

  it("names the other protocols that the router speaks, and renews on request", async () => {
    const home = await nodeBehind({});
    await home.node.mustRun(["on"]);
    await pollUntil(
      "all protocols to be known",
      async () => {
        const { portMapping } = await stateOf(home);
        return portMapping.state === "mapped" && portMapping.fallbacks.length === 2;
      },
      { timeoutMs: SETTLED_WITHIN_MS },
    );
    expect(await home.node.mustRun(["ports"])).toMatch(/PCP[\s\S]*NAT-PMP, UPnP/);
    const refreshed = JSON.parse(await home.node.mustRun(["ports", "refresh", "--json"])) as PortMappingState;
    expect(refreshed).toMatchObject({ state: "mapped", protocol: "pcp", fallbacks: ["nat-pmp", "upnp"] });
  });

  it("deletes the mapping when the node quits, and maps nothing where the owner does not want it", async () => {
    const home = await nodeBehind({});
    await home.node.mustRun(["on"]);
    await waitFor(home, "mapped");
    await home.node.mustRun(["settings", "set", "portMapping=off"]);
    await waitFor(home, "off");
    await pollUntil("no rule", async () => (await forwarded(home)).size === 0, { timeoutMs: 20_000 });
    await home.node.mustRun(["settings", "set", "portMapping=auto"]);
    await waitFor(home, "mapped");
    expect((await forwarded(home)).size).toBe(1);
    await home.node.stop();
    expect((await forwarded(home)).size).toBe(0);
  });

  it.each([
    ["nat-pmp", {}],
    ["upnp", { protocols: ["upnp"], igd: 1 }],
    ["upnp", { protocols: ["upnp"], igd: 2 }],
  ] as const)(
    "gets another port within 2 s where a rival has it (%s, %j), and guests are told",
    async (protocol, router) => {
      const home = await nodeBehind(router);
      await rivalTakesPort(home, protocol);
      await home.node.mustRun(["on"]);
      const mapped = await waitFor(home, "mapped");
      const { node } = await stateOf(home);
      expect(Date.parse(mapped.since) - Date.parse(node.since)).toBeLessThan(2_000);
      const { port } = mapped.external;
      expect(port).not.toBe(WIREGUARD_PORT);
      const configuration = await home.node.addClient("guest");
      expect(configuration).toContain(`Endpoint = ${WAN.customer.ipv4}:${port}\n`);
      const guest = await home.lab.addGuest();
      await guest.up(configuration);
      await guest.waitForHandshake();
      expect(await forwarded(home)).toEqual(new Map([[port, WIREGUARD_PORT]]));
      expect(await home.lab.router.mapping?.rules()).toContain(`dport ${WIREGUARD_PORT} dnat ip to ${LAN.rival.ipv4}`);
    },
  );

  it.each([
    ["pcp", {}],
    ["nat-pmp", { protocols: ["nat-pmp"] }],
    ["upnp", { protocols: ["upnp"] }],
  ] as const)(
    "is reached again within 10 s after the router has forgotten everything (%s)",
    async (protocol, router) => {
      const home = await nodeBehind(router);
      await home.node.mustRun(["on"]);
      const configuration = await home.node.addClient("guest");
      const guest = await home.lab.addGuest();
      await guest.up(configuration);
      await guest.waitForHandshake();
      await guest.down();
      await home.lab.router.reboot();
      const backMs = performance.now();
      await guest.up(configuration);
      await guest.waitForHandshake(10_000);
      expect(performance.now() - backMs).toBeLessThan(10_000);
      expect((await stateOf(home)).portMapping).toMatchObject({ state: "mapped", protocol });
    },
  );

  it("leaves no rule behind although everything was killed", async () => {
    const home = await nodeBehind({});
    await home.node.mustRun(["on"]);
    await waitFor(home, "mapped");
    await killEverything(home);
    expect(await forwarded(home)).toEqual(new Map([[WIREGUARD_PORT, WIREGUARD_PORT]]));
    changeListenPort(home, 51_999);
    await home.node.start({ panelPort: false });
    await waitFor(home, "mapped");
    expect(await forwarded(home)).toEqual(new Map([[51_999, 51_999]]));
    await home.node.stop();
    expect(await forwarded(home)).toEqual(new Map());
  });
});

describe.skipIf(!requireLab())("a node behind a router that maps nothing", () => {
  async function timeToVerdict(home: Sharing): Promise<{ ms: number; code: string }> {
    await home.node.mustRun(["on"]);
    const { since, reason } = await waitFor(home, "unavailable");
    const { node } = await stateOf(home);
    return { ms: Date.parse(since) - Date.parse(node.since), code: reason.code };
  }

  it("knows within 0.2 s that the router refuses, and says what the owner can do", async () => {
    const home = await nodeBehind({ mapping: "none" });
    const verdict = await timeToVerdict(home);
    expect(verdict.code).toBe("router-refused");
    expect(verdict.ms).toBeLessThan(200);
    expect(await home.node.mustRun(["ports"])).toMatch(/Switch on UPnP[\s\S]*Asked again in/);
    expect(await home.node.mustRun(["status"])).toContain("Port mapping");
  });

  it("knows within 4 s that the router is silent", async () => {
    const home = await nodeBehind({ mapping: "none" });
    const hole = `table inet hole {
      chain input {
        type filter hook input priority -10;
        udp dport { 1900, 5351 } drop
      }
    }\n`;
    await home.lab.router.host.mustExec(["nft", "-f", "-"], { input: hole });
    const verdict = await timeToVerdict(home);
    expect(verdict.code).toBe("router-silent");
    expect(verdict.ms).toBeLessThan(4_000);
  });
});

describe.skipIf(!requireLab())("a node behind a router with faults", () => {
  async function startFake({ lab }: Sharing, fault: FakeIgdOptions["fault"]): Promise<Program> {
    const options: FakeIgdOptions = {
      address: LAN.router.ipv4,
      httpPort: 5000,
      ssdpPort: 1900,
      version: 1,
      fault,
      externalAddress: WAN.customer.ipv4,
      elsewhere: LAN.neighbour.ipv4,
    };
    const program = join(import.meta.dirname, "lab/servers/fake-igd.ts");
    const fake = lab.router.host.spawn([nodeProgram(), program, JSON.stringify(options)]);
    await fake.line((line) => line.includes('"ready":true'), SETTLED_WITHIN_MS);
    return fake;
  }

  /** What the fake holds, after the last action it was asked for. */
  function entries(fake: Program): Record<string, FakeEntry> {
    const last = fake.stdout.split("\n").slice(0, -1).at(-1) ?? "{}";
    return (JSON.parse(last) as { entries?: Record<string, FakeEntry> }).entries ?? {};
  }

  it("deletes a permanent mapping after everything was killed", async () => {
    const home = await nodeBehind({ mapping: "none" });
    const fake = await startFake(home, "permanent-only");
    await home.node.mustRun(["on"]);
    expect(await waitFor(home, "mapped")).toMatchObject({ protocol: "upnp", leaseEndsAt: null });
    expect(entries(fake)).toMatchObject({ "UDP 51820": { internalClient: LAN.node.ipv4, leaseSeconds: 0 } });
    await killEverything(home);
    changeListenPort(home, 51_999);
    await home.node.start({ panelPort: false });
    await waitFor(home, "mapped");
    expect(Object.keys(entries(fake))).toEqual(["UDP 51999"]);
    await home.node.mustRun(["off"]);
    expect(Object.keys(entries(fake))).toEqual([]);
  });

  it("names each fault, in bounded time and memory, and goes on sharing", async () => {
    const home = await nodeBehind({ mapping: "none" });
    await home.node.mustRun(["on"]);
    const peakKiB = async () =>
      Number(/VmHWM:\s+(\d+)/.exec(await home.node.host.readFile(`/proc/${home.nodePid()}/status`))?.[1]);
    await waitFor(home, "unavailable");
    const beforeKiB = await peakKiB();
    for (const [fault, code] of [
      ["conflict", "port-conflict"],
      ["unauthorised", "not-authorised"],
      ["failed", "router-error"],
      ["stall", "upnp-stalled"],
      ["stall-control", "upnp-stalled"],
      ["html", "upnp-not-xml"],
      ["huge", "upnp-too-large"],
      ["bomb", "upnp-not-xml"],
      ["foreign", "upnp-foreign-address"],
      ["redirect", "upnp-http-status"],
    ] as const) {
      const fake = await startFake(home, fault);
      const startedMs = performance.now();
      const state = JSON.parse(await home.node.mustRun(["ports", "refresh", "--json"])) as PortMappingState;
      expect(state, fault).toMatchObject({ state: "unavailable", reason: { code } });
      expect(performance.now() - startedMs, fault).toBeLessThan(15_000);
      await fake.stop();
    }
    expect((await peakKiB()) - beforeKiB).toBeLessThan(64 * 1024);
    expect((await stateOf(home)).node.phase).toBe("running");
  });
});
