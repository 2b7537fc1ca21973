/** Proof from outside, and what stands in the way: real routers, a real relay, the real WireGuard behind the port. */
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { NodeState } from "../src-shared/model/node-state.ts";
import { decodeBindingAnswer, encodeBindingRequest } from "../src-shared/stun/message.ts";
import { LAN, type LabOptions, nodeProgram, poll, requireLab, TRANSIT, WAN } from "./lab/index.ts";
import type { FakeIgdOptions } from "./lab/servers/fake-igd.ts";
import { RELAYS, RelayLab } from "./relay-lab.ts";

/** Mapping, connecting to the relay and three initiations in vain take some 8 s; a busy machine takes longer. */
const KNOWN_TIMEOUT_MS = 40_000;
const [RELAY] = RELAYS;
const FAKE_IGD = join(import.meta.dirname, "lab/servers/fake-igd.ts");

let lab: RelayLab | undefined;
afterEach(async () => {
  await lab?.dispose();
  lab = undefined;
});

/** A home with a relay out in the internet; sharing, and nothing told about the public endpoint. */
async function share(home: LabOptions, prepare?: (made: RelayLab) => Promise<void>): Promise<RelayLab> {
  const made = await RelayLab.create([RELAY], home);
  lab = made;
  await prepare?.(made);
  await made.sharing.node.mustRun(["settings", "set", "publicEndpoint=auto"]);
  await made.startRelay(RELAY);
  await made.share();
  return made;
}

async function status(made: RelayLab): Promise<NodeState> {
  return JSON.parse(await made.sharing.node.mustRun(["status", "--json"])) as NodeState;
}

/** Waits until the state says what was found; the state in whole, for the rest of the test. */
async function found(made: RelayLab, wanted: "reachable" | "unreachable"): Promise<NodeState> {
  let last: NodeState | undefined;
  try {
    return await poll(
      `the node to be ${wanted}`,
      async () => {
        last = await status(made);
        return last.reachability.state === wanted && last.natPath.state === "known" ? last : undefined;
      },
      { timeoutMs: KNOWN_TIMEOUT_MS, intervalMs: 250 },
    );
  } catch (error) {
    const { reachability, natPath, portMapping } = last ?? {};
    const seen = JSON.stringify({ reachability, natPath, portMapping }, null, 1);
    throw new Error(`${error instanceof Error ? error.message : error}; it is ${seen}\n${made.sharing.node.output}`);
  }
}

function hopsOf({ natPath }: NodeState): string[] {
  if (natPath.state === "unknown") return [];
  return natPath.hops.map(({ kind, address, externalAddress }) => `${kind} ${address} ${externalAddress}`);
}

function adviceOf({ natPath }: NodeState): string[] {
  return natPath.state === "unknown" ? [] : natPath.advice.map(({ code }) => code);
}

describe.skipIf(!requireLab())("a node behind one router", () => {
  it("is proven by a handshake from outside at its mapped port, and a guest then connects there", async () => {
    const made = await share({ topology: "single", router: { mapping: "miniupnpd" } });
    const state = await found(made, "reachable");
    expect(state.reachability).toMatchObject({ endpoint: { host: WAN.customer.ipv4 } });
    expect(state.natPath).toMatchObject({ verdict: "one-nat", publicAddress: WAN.customer.ipv4, reason: null });
    expect(hopsOf(state)).toEqual([`home-router ${LAN.router.ipv4} ${WAN.customer.ipv4}`]);
    const peers = await made.sharing.node.host.mustExec(["wg", "show", "higgs0", "allowed-ips"]);
    expect(peers.trim()).toMatch(/^\S+\t\(none\)$/);
    expect(await made.sharing.node.mustRun(["status"])).toMatch(/From outside +reachable at 11\.22\.33\.2:/);

    const guest = await made.sharing.connectGuest("Ann");
    expect(await guest.handshakeAge()).toBeLessThan(60);
    // A handshake of the relay's is nobody's visit.
    const { node } = await status(made);
    expect(node).toMatchObject({ phase: "running", exit: { clients: { total: 1 }, reach: { source: "proven" } } });

    await made.sharing.node.mustRun(["off"]);
    expect((await status(made)).reachability).toMatchObject({ state: "unknown", reason: { code: "not-sharing" } });
  });

  it("is proven over IPv6 too, through the pinhole, by a relay that has both families", async () => {
    const relayIpv6 = "2a0a:98::91";
    const made = await RelayLab.create([RELAY], { topology: "single", router: { mapping: "miniupnpd" } });
    lab = made;
    const { node } = made.sharing;
    await made.inet.ip([`address add ${relayIpv6}/64 dev servers nodad`]);
    await node.host.mustExec(["sh", "-c", `echo "${relayIpv6} ${RELAY.name}" >> /etc/hosts`]);
    await node.mustRun(["settings", "set", "publicEndpoint=auto"]);
    await made.startRelay(RELAY, ["--listen", "[::]:443"]);
    await made.share();
    const state = await found(made, "reachable");
    expect(state.reachability).toMatchObject({ endpoint: { host: WAN.customer.ipv4 } });
    const proven = await poll(
      "IPv6 to be proven",
      async () => {
        const { reachabilityIpv6 } = await status(made);
        return reachabilityIpv6?.state === "reachable" ? reachabilityIpv6 : undefined;
      },
      { timeoutMs: KNOWN_TIMEOUT_MS, intervalMs: 250 },
    );
    expect(proven.endpoint).toEqual({ host: LAN.node.ipv6, port: 51820 });
    // Without the pinhole the same address is silent.
    await made.sharing.lab.router.mapping?.stop();
    await made.sharing.lab.router.loadRules();
    await node.mustRun(["ports", "refresh"]);
    await poll(
      "IPv6 to be silent",
      async () => ((await status(made)).reachabilityIpv6?.state === "unreachable" ? true : undefined),
      { timeoutMs: KNOWN_TIMEOUT_MS, intervalMs: 250 },
    );
  });

  it("is back at the relay at once when its own address has changed", async () => {
    const made = await share({ topology: "single", router: { mapping: "miniupnpd" } });
    const before = await made.waitForRelay();
    const { host } = made.sharing.node;
    await host.ip([
      `address del ${LAN.node.ipv4}/24 dev eth0`,
      "address add 192.168.77.99/24 dev eth0",
      `route replace default via ${LAN.router.ipv4}`,
    ]);
    const changedMs = performance.now();
    await poll(
      "another connection to the relay",
      async () => {
        const state = await made.relayState();
        return state.state === "connected" && state.since !== before.since ? true : undefined;
      },
      { timeoutMs: KNOWN_TIMEOUT_MS, intervalMs: 100 },
    );
    // Without a word from the kernel it is noticed after three silent pings, of five seconds each.
    expect(performance.now() - changedMs).toBeLessThan(10_000);
    expect(await host.mustExec(["ss", "-Htn", "state", "established", "dport", "=", ":443"])).toContain(
      "192.168.77.99:",
    );
  });

  it("is proven at a port its owner forwards by hand, where the router speaks no mapping protocol", async () => {
    const made = await share({ topology: "single", router: { mapping: "none", portForward51820: true } });
    const state = await found(made, "reachable");
    expect(state.portMapping.state).toBe("unavailable");
    expect(state.node).toMatchObject({
      exit: { reach: { endpoint: { host: WAN.customer.ipv4, port: 51820 }, source: "proven" } },
    });
  });

  it("is not reachable where a granted mapping is dead, and is again at another port once that was made", async () => {
    const made = await share({ topology: "single", router: { mapping: "miniupnpd" } });
    const before = await found(made, "reachable");
    const port = before.reachability.state === "reachable" ? before.reachability.endpoint.port : 0;
    // The router goes on listing and renewing what its kernel, or its provider, throws away.
    const rules = `table inet dead {
      chain first { type filter hook prerouting priority -300; iifname "wan" udp dport ${port} drop; }
    }`;
    await made.sharing.lab.router.host.mustExec(["nft", "-f", "-"], { input: rules });
    await made.sharing.node.mustRun(["ports", "refresh"]);
    const dead = await found(made, "unreachable");
    expect(dead.reachability).toMatchObject({ reason: { code: "mapping-dead" }, endpoint: { port } });
    const again = await found(made, "reachable");
    expect(again.reachability.state === "reachable" && again.reachability.endpoint.port).not.toBe(port);
    expect(again.portMapping).toMatchObject({ state: "mapped" });
    // The dead one was deleted.
    expect(await made.sharing.lab.router.mapping?.rules()).not.toContain(`dport ${port} dnat`);
    const guest = await made.sharing.connectGuest("Ann");
    expect(await guest.handshakeAge()).toBeLessThan(60);
  });

  it("learns its public address from a STUN server that anybody may ask", async () => {
    const made = await share({ topology: "single", router: { mapping: "none", portForward51820: false } });
    const guest = await made.sharing.lab.addGuest();
    const transaction = new Uint8Array(12).fill(7);
    const request = Buffer.from(encodeBindingRequest(transaction)).toString("hex");
    const script = `
      const socket = require("node:dgram").createSocket("udp4");
      socket.on("message", (answer) => { console.log(answer.toString("hex")); socket.close(); });
      socket.send(Buffer.from("${request}", "hex"), 3478, "${RELAY.ipv4}");`;
    const printed = await guest.host.mustExec([process.execPath, "-e", script]);
    const answer = decodeBindingAnswer(Buffer.from(printed.trim(), "hex"), transaction);
    expect(answer?.host).toBe(guest.addresses.ipv4);
    const state = await found(made, "unreachable");
    expect(state.natPath).toMatchObject({ publicAddress: WAN.customer.ipv4 });
    expect(adviceOf(state)).toEqual([]);
    expect(state.reachability).toMatchObject({
      reason: { code: "router-refused" },
      advice: [{ code: "forward-on-router" }, { code: "relay-meanwhile" }],
    });
  });
});

describe.skipIf(!requireLab())("a node behind two NATs", () => {
  it("is reached through both where the second router forwards when it is asked", async () => {
    // As a router does that learns its public address from a server out there.
    const made = await share({
      topology: "double",
      router: { mapping: "miniupnpd", extraConfig: [`ext_ip=${WAN.customer.ipv4}`] },
    });
    const state = await found(made, "reachable");
    expect(state.natPath).toMatchObject({ verdict: "double-nat", advice: [] });
    expect(hopsOf(state)).toEqual([
      `home-router ${LAN.router.ipv4} ${WAN.customer.ipv4}`,
      `second-router ${TRANSIT.double.isp} ${WAN.customer.ipv4}`,
    ]);
    expect(await made.sharing.lab.isp?.mapping?.rules()).toContain(TRANSIT.double.router);
    const guest = await made.sharing.connectGuest("Ann");
    expect(await guest.handshakeAge()).toBeLessThan(60);
    await made.sharing.node.mustRun(["off"]);
    await poll(
      "the second router to forget",
      async () => ((await made.sharing.lab.isp?.mapping?.rules())?.includes("dnat") ? undefined : true),
      { timeoutMs: 20_000 },
    );
  });

  it.each(["pcp", "upnp"] as const)(
    "is reached through both where the second router hears %s alone, and the first says what its own address is",
    async (protocol) => {
      const router = { mapping: "miniupnpd", protocols: [protocol], igd: 2 } as const;
      const made = await share({ topology: "double", router }, async ({ sharing }) => {
        // miniupnpd maps nothing on a private address, as many routers do without a thought.
        await sharing.lab.router.mapping?.stop();
        const { host } = sharing.lab.router;
        const rules = `insert rule inet filter prerouting iifname "wan" udp dport 51820 dnat ip to ${LAN.node.ipv4}
          insert rule inet filter forward iifname "wan" ip daddr ${LAN.node.ipv4} udp dport 51820 accept`;
        await host.mustExec(["nft", "-f", "-"], { input: rules });
        const options: FakeIgdOptions = {
          address: LAN.router.ipv4,
          httpPort: 5000,
          ssdpPort: 1900,
          version: 1,
          fault: "ok",
          externalAddress: TRANSIT.double.router,
        };
        const fake = host.spawn([nodeProgram(), FAKE_IGD, JSON.stringify(options)]);
        await fake.line((line) => line.includes('"ready":true'), KNOWN_TIMEOUT_MS);
      });
      const state = await found(made, "reachable");
      expect(state.portMapping).toMatchObject({ state: "mapped", external: { host: TRANSIT.double.router } });
      expect(state.natPath).toMatchObject({ verdict: "double-nat", advice: [] });
      expect(state.reachability).toMatchObject({ endpoint: { host: WAN.customer.ipv4 } });
      expect(await made.sharing.lab.isp?.mapping?.rules()).toContain(`dnat ip to ${TRANSIT.double.router}`);
      const guest = await made.sharing.connectGuest("Ann");
      expect(await guest.handshakeAge()).toBeLessThan(60);
      await made.sharing.node.mustRun(["off"]);
      await poll(
        "the second router to forget",
        async () => ((await made.sharing.lab.isp?.mapping?.rules())?.includes("dnat") ? undefined : true),
        { timeoutMs: 20_000 },
      );
    },
  );

  it("is told that a second router does not forward, and what can be done about it", async () => {
    const made = await share({ topology: "double", router: { mapping: "miniupnpd" } }, async ({ sharing }) => {
      await sharing.lab.isp?.mapping?.stop();
    });
    const state = await found(made, "unreachable");
    expect(state.natPath).toMatchObject({ verdict: "double-nat", publicAddress: WAN.customer.ipv4 });
    expect(state.reachability).toMatchObject({
      endpoint: { host: WAN.customer.ipv4, port: 51820 },
      reason: { code: "double-nat" },
    });
    expect(adviceOf(state)).toEqual(["bridge-mode", "forward-on-second-router", "use-ipv6", "relay-meanwhile"]);
    expect(hopsOf(state)[1]).toBe(`second-router ${TRANSIT.double.isp} ${WAN.customer.ipv4}`);
    expect(await made.sharing.node.mustRun(["status"])).toContain("bridge mode");
  });

  it("is told of carrier-grade NAT, and to ask the provider", async () => {
    const made = await share({ topology: "cgnat", router: { mapping: "miniupnpd" } });
    const state = await found(made, "unreachable");
    expect(state.portMapping).toMatchObject({ state: "unavailable", reason: { code: "no-public-address" } });
    expect(state.natPath).toMatchObject({ verdict: "carrier-nat", reason: { code: "carrier-nat" } });
    expect(adviceOf(state)).toEqual(["ask-for-public-address", "use-ipv6", "relay-meanwhile"]);
    expect(hopsOf(state)).toEqual([
      `home-router ${LAN.router.ipv4} null`,
      `carrier ${TRANSIT.cgnat.isp} ${WAN.customer.ipv4}`,
    ]);
    // The relay does it meanwhile.
    const guest = await made.connectGuest("Ann");
    expect(await guest.handshakeAge()).toBeLessThan(60);
  });

  it("does not believe a router that lies about its address, though the mapping is granted", async () => {
    const made = await share({
      topology: "cgnat",
      router: { mapping: "miniupnpd", extraConfig: ["ext_ip=5.6.7.8"] },
    });
    const state = await found(made, "unreachable");
    expect(state.portMapping).toMatchObject({ state: "mapped", external: { host: "5.6.7.8" } });
    expect(state.natPath).toMatchObject({ verdict: "false-address", publicAddress: WAN.customer.ipv4 });
    expect(state.reachability).toMatchObject({ reason: { code: "false-address" } });
    expect(adviceOf(state)).toEqual(["bridge-mode", "ask-for-public-address", "use-ipv6", "relay-meanwhile"]);
  });
});
