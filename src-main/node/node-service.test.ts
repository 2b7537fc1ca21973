import { describe, expect, it } from "vitest";
import { phaseStateSchema } from "../../src-shared/model/node-state.ts";
import { observation } from "../routing/testing/observation.ts";
import { DNS_PORTS_TRIED, FIRST_DNS_PORT } from "./exit-works.ts";
import { PEERS_EVERY_MS } from "./node-service.ts";
import { waitAfterMs } from "./recovery-ladder.ts";
import { NodeRig, settled } from "./testing/node-rig.ts";

const REFUSED = { code: "permission-refused", message: "No.", hint: "Confirm the prompt." };

async function running(): Promise<NodeRig> {
  const rig = new NodeRig();
  expect(await rig.node.on()).toEqual({ ok: true, value: undefined });
  rig.in("running");
  return rig;
}

describe("a node that is switched on", () => {
  it("starts step by step, and is running once what was applied was seen", async () => {
    const rig = await running();
    expect(rig.states.flatMap((state) => (state.phase === "starting" ? state.step : []))).toEqual([
      "helper",
      "inspect",
      "apply",
      "dns",
      "verify",
    ]);
    expect(rig.helper.calls).toEqual(["ensure", "subscribe", "observe", "apply", "observe"]);
    expect(rig.answeringAt).toEqual({ addresses: ["10.66.0.1/16", "fd00:1:2:3::1/64"], port: FIRST_DNS_PORT });
    expect(rig.memory).toEqual({ wanted: true, dirty: true });
    for (const state of rig.states) phaseStateSchema.parse(state);
    expect(rig.in("running").exit).toMatchObject({ listenPort: 51820, ipv6: { state: "on" }, clients: { total: 1 } });
  });

  it("starts once, however often it is asked", async () => {
    const rig = new NodeRig();
    const results = await Promise.all([rig.node.on(), rig.node.on(), rig.node.on()]);
    expect(results.every(({ ok }) => ok)).toBe(true);
    expect(rig.helper.count("apply")).toBe(1);
    expect(rig.phases).toEqual(["starting", "running"]);
  });

  it("says why permission was refused, asks no second time, and asks again when switched on again", async () => {
    const rig = new NodeRig();
    rig.helper.refusal = REFUSED;
    expect(await rig.node.on()).toEqual({ ok: false, error: REFUSED });
    expect(rig.in("failed").error).toEqual(REFUSED);
    expect(rig.helper.calls).toEqual(["ensure"]);
    expect(rig.memory.dirty).toBe(false);
    rig.helper.refusal = undefined;
    expect((await rig.node.on()).ok).toBe(true);
    expect(rig.phases).toEqual(["starting", "failed", "starting", "running"]);
  });

  it("is stopped after a refusal without another prompt", async () => {
    const rig = new NodeRig();
    rig.helper.refusal = REFUSED;
    await rig.node.on();
    expect((await rig.node.off()).ok).toBe(true);
    rig.in("stopped");
    expect(rig.helper.calls).toEqual(["ensure"]);
  });

  it.each(["apply-failed", "port-in-use"])("restores everything when apply says %s", async (code) => {
    const rig = new NodeRig();
    rig.helper.failNext("apply", code);
    expect(await rig.node.on()).toMatchObject({ ok: false, error: { code } });
    expect(rig.in("failed").error.code).toBe(code);
    expect(rig.helper.calls.at(-1)).toBe("restore");
    expect(rig.memory).toEqual({ wanted: true, dirty: false });
    expect(rig.answeringAt).toBeUndefined();
  });

  it("fails when the kernel does not have what was applied, and restores", async () => {
    const rig = new NodeRig();
    rig.helper.distort = (seen) => ({ ...seen, wireguard: { state: "absent" } });
    expect(await rig.node.on()).toMatchObject({ ok: false, error: { code: "interface-gone" } });
    expect(rig.helper.applied).toBeUndefined();
    expect(rig.node.recovery).toMatchObject({ state: "waiting", cause: "wireguard", attempt: 1 });
  });

  it("tries again by itself, ever more slowly, when it could not start", async () => {
    const rig = new NodeRig();
    rig.helper.failNext("apply", "port-in-use", 2);
    expect((await rig.node.on()).ok).toBe(false);
    await rig.clock.advance(waitAfterMs(3));
    await settled();
    expect(rig.in("failed").error.code).toBe("port-in-use");
    await rig.clock.advance(waitAfterMs(4));
    await settled();
    rig.in("running");
    expect(rig.helper.count("apply")).toBe(3);
  });

  it("restores through a new helper when the first one dies in the middle", async () => {
    const rig = new NodeRig();
    rig.helper.failNext("apply", "helper-lost");
    const started = rig.node.on();
    await started;
    expect(rig.in("failed").error.code).toBe("helper-lost");
    expect(rig.memory.dirty).toBe(false);
  });

  it("takes the next DNS port when one is taken, and applies with it", async () => {
    const rig = new NodeRig();
    rig.dnsErrors.push("dns-port-taken", "dns-port-taken");
    expect((await rig.node.on()).ok).toBe(true);
    expect(rig.answeringAt?.port).toBe(FIRST_DNS_PORT + 2);
    expect(rig.helper.applied?.dns).toEqual({ port: FIRST_DNS_PORT + 2 });
    expect(rig.helper.count("apply")).toBe(3);
  });

  it("gives up on DNS ports after a few, and restores", async () => {
    const rig = new NodeRig();
    rig.dnsErrors.push(...Array.from({ length: DNS_PORTS_TRIED + 1 }, () => "dns-port-taken"));
    expect(await rig.node.on()).toMatchObject({ ok: false, error: { code: "dns-port-taken" } });
    expect(rig.helper.count("apply")).toBe(DNS_PORTS_TRIED);
    expect(rig.helper.applied).toBeUndefined();
  });

  it("does not answer on an IPv6 address that the helper could not give, and says that IPv6 failed", async () => {
    const rig = new NodeRig();
    rig.helper.ipv6 = { state: "failed", error: { code: "firewall-refused", message: "No IPv6 NAT." } };
    expect((await rig.node.on()).ok).toBe(true);
    expect(rig.answeringAt?.addresses).toEqual(["10.66.0.1/16"]);
    expect(rig.in("running").exit.ipv6).toMatchObject({ state: "failed", error: { code: "firewall-refused" } });
  });

  it("starts by itself when a network comes for want of which it failed", async () => {
    const rig = new NodeRig();
    const { machine } = rig.helper;
    rig.helper.machine = observation([], []);
    expect(await rig.node.on()).toMatchObject({ ok: false, error: { code: "no-uplink" } });
    rig.helper.changeNetwork();
    await settled();
    expect(rig.in("failed").error.code).toBe("no-uplink");
    rig.helper.machine = machine;
    rig.helper.changeNetwork();
    await settled();
    rig.in("running");
  });
});

describe("a node that is switched off", () => {
  it("restores, and asks nothing any more", async () => {
    const rig = await running();
    expect((await rig.node.off()).ok).toBe(true);
    expect(rig.phases).toEqual(["starting", "running", "stopping", "stopped"]);
    expect(rig.memory).toEqual({ wanted: false, dirty: false });
    expect(rig.answeringAt).toBeUndefined();
    expect(rig.clock.pending).toBe(0);
    const asked = rig.helper.calls.length;
    await rig.clock.advance(100_000);
    expect(rig.helper.calls).toHaveLength(asked);
  });

  it("does nothing where it is stopped already", async () => {
    const rig = new NodeRig();
    expect((await rig.node.off()).ok).toBe(true);
    expect(rig.helper.calls).toEqual([]);
    expect(rig.states).toEqual([]);
  });

  it("stops at once while a person reads the prompt, and applies nothing afterwards", async () => {
    const rig = new NodeRig();
    const prompt = Promise.withResolvers<void>();
    rig.helper.hold = prompt.promise;
    const started = rig.node.on();
    await settled();
    rig.in("starting");
    expect((await rig.node.off()).ok).toBe(true);
    rig.in("stopped");
    expect(await started).toMatchObject({ ok: false, error: { code: "interrupted" } });
    prompt.resolve();
    await settled();
    expect(rig.helper.count("apply")).toBe(0);
    expect(rig.phases).toEqual(["starting", "stopping", "stopped"]);
  });

  it("applies nothing when it is switched off while it looks at the machine", async () => {
    const rig = new NodeRig();
    const looking = Promise.withResolvers<void>();
    rig.node.onChange((state) => {
      if (state.phase === "starting" && state.step === "inspect") rig.helper.hold = looking.promise;
    });
    void rig.node.on();
    await settled();
    const stopped = rig.node.off();
    looking.resolve();
    expect((await stopped).ok).toBe(true);
    rig.in("stopped");
    expect(rig.helper.count("apply")).toBe(0);
    expect(rig.helper.count("restore")).toBe(0);
  });

  it("takes away what a start has done until then", async () => {
    const rig = new NodeRig();
    const applying = Promise.withResolvers<void>();
    rig.node.onChange((state) => {
      if (state.phase === "starting" && state.step === "apply") rig.helper.hold = applying.promise;
    });
    void rig.node.on();
    await settled();
    const stopped = rig.node.off();
    applying.resolve();
    expect((await stopped).ok).toBe(true);
    rig.in("stopped");
    expect(rig.helper.applied).toBeUndefined();
  });

  it("shares in the end when it is switched off and on in one breath", async () => {
    const rig = await running();
    const [off, on] = await Promise.all([rig.node.off(), rig.node.on()]);
    expect([off.ok, on.ok]).toEqual([true, true]);
    rig.in("running");
    expect(rig.memory.wanted).toBe(true);
  });

  it("says when the network could not be put back, remembers it, and tries again when asked again", async () => {
    const rig = await running();
    rig.helper.stuck = ["interface higgs0"];
    expect(await rig.node.off()).toMatchObject({ ok: false, error: { code: "restore-failed" } });
    expect(rig.in("failed").error).toMatchObject({ hint: "Run: higgsnode restore-network" });
    expect(rig.memory).toEqual({ wanted: false, dirty: true });
    rig.helper.stuck = [];
    expect((await rig.node.off()).ok).toBe(true);
    rig.in("stopped");
    expect(rig.memory.dirty).toBe(false);
  });
});

describe("a node while it shares", () => {
  it("counts who is connected and what they moved", async () => {
    const rig = await running();
    const [guest] = rig.helper.applied?.wireguard.peers ?? [];
    rig.helper.peers = [
      {
        publicKey: guest?.publicKey ?? "",
        endpoint: "203.0.113.9:4000",
        allowedIps: guest?.allowedIps ?? [],
        latestHandshakeAtMs: rig.clock.nowMs(),
        rxBytes: 500,
        txBytes: 7_000,
      },
      {
        // The relay's probe, which is nobody's traffic.
        publicKey: "Gu3stKeyxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx0000A=",
        endpoint: "203.0.113.10:5000",
        allowedIps: [],
        latestHandshakeAtMs: rig.clock.nowMs(),
        rxBytes: 148,
        txBytes: 92,
      },
    ];
    await rig.clock.advance(PEERS_EVERY_MS);
    expect(rig.in("running").exit).toMatchObject({
      clients: { total: 1, connected: 1 },
      traffic: { rxBytes: 500, txBytes: 7_000 },
    });
    expect(rig.seenPeers.at(-1)).toMatchObject({ state: "present", peers: [{ rxBytes: 500 }] });
    const told = rig.states.length;
    await rig.clock.advance(PEERS_EVERY_MS);
    expect(rig.states).toHaveLength(told);
  });

  it("counts the last traffic before it stops, and tells that the interface is gone after", async () => {
    const rig = await running();
    await rig.node.off();
    expect(rig.helper.calls.slice(-2)).toEqual(["observe-peers", "restore"]);
    expect(rig.seenPeers.at(-1)).toEqual({ state: "absent" });
    expect(rig.seenPeers.at(-2)?.state).toBe("present");
  });

  it("applies when the plan differs, and does not when it is the same", async () => {
    const rig = await running();
    rig.helper.changeNetwork();
    await settled();
    expect((await rig.node.settle()).ok).toBe(true);
    expect(rig.helper.count("apply")).toBe(1);
    rig.clients = 2;
    rig.helper.changeNetwork();
    expect((await rig.node.settle()).ok).toBe(true);
    expect(rig.helper.count("apply")).toBe(2);
    expect(rig.in("running").exit.clients.total).toBe(2);
    expect(rig.phases).toEqual(["starting", "running"]);
  });

  it("makes one comparison of a burst of changes", async () => {
    const rig = await running();
    const before = rig.helper.count("observe");
    for (let n = 0; n < 20; n++) rig.node.refresh();
    await rig.node.settle();
    expect(rig.helper.count("observe")).toBe(before + 1);
  });

  it("goes on with what stands when a change is refused, and is running again when that is taken back", async () => {
    const rig = await running();
    rig.listenPort = 51999;
    rig.helper.failNext("apply", "port-in-use");
    expect(await rig.node.settle()).toMatchObject({ ok: false, error: { code: "port-in-use" } });
    expect(rig.in("degraded").problems).toMatchObject([{ code: "port-in-use" }]);
    expect(rig.in("degraded").exit.listenPort).toBe(51820);
    expect(rig.helper.applied?.wireguard.listenPort).toBe(51820);
    rig.listenPort = 51820;
    expect((await rig.node.settle()).ok).toBe(true);
    rig.in("running");
    expect(rig.helper.count("apply")).toBe(2);
    expect(rig.helper.count("restore")).toBe(0);
  });

  it("is degraded without an uplink, leaves everything standing, and is running again with one", async () => {
    const rig = await running();
    const { machine } = rig.helper;
    rig.helper.machine = observation([], []);
    rig.helper.changeNetwork();
    await settled();
    expect(rig.in("degraded").problems).toMatchObject([{ code: "no-uplink" }]);
    expect(rig.helper.applied).toBeDefined();
    rig.helper.machine = machine;
    rig.helper.changeNetwork();
    await settled();
    rig.in("running");
    expect(rig.helper.count("apply")).toBe(1);
  });

  it("is degraded while the plan has a problem, though all of it was applied", async () => {
    const rig = await running();
    rig.problems = [{ code: "clients-without-address", message: "2 clients have no address." }];
    expect((await rig.node.settle()).ok).toBe(true);
    expect(rig.in("degraded").problems).toEqual(rig.problems);
    const { since } = rig.in("degraded");
    await rig.clock.advance(PEERS_EVERY_MS);
    await rig.node.settle();
    expect(rig.in("degraded").since).toBe(since);
    rig.problems = [];
    await rig.node.settle();
    rig.in("running");
  });

  it("shows the same problem when it starts with it", async () => {
    const rig = new NodeRig();
    rig.problems = [{ code: "clients-without-address", message: "2 clients have no address." }];
    expect((await rig.node.on()).ok).toBe(true);
    rig.in("degraded");
    expect(rig.clock.pending).toBe(1);
  });
});

describe("a node that begins or ends", () => {
  it("shares again if it shared when it last ran", async () => {
    const rig = new NodeRig();
    rig.memory.wanted = true;
    await rig.node.resume();
    rig.in("running");
  });

  it("takes away what a crash has left if sharing was off", async () => {
    const rig = new NodeRig();
    rig.memory.dirty = true;
    await rig.node.resume();
    rig.in("stopped");
    expect(rig.helper.calls).toEqual(["ensure", "restore"]);
    expect(rig.memory.dirty).toBe(false);
  });

  it("asks nothing of the helper if sharing was off and nothing was left", async () => {
    const rig = new NodeRig();
    await rig.node.resume();
    expect(rig.helper.calls).toEqual([]);
    expect(rig.states).toEqual([]);
  });

  it("restores when it is disposed of, and remembers that sharing is wanted", async () => {
    const rig = await running();
    await Promise.all([rig.node.dispose(), rig.node.dispose()]);
    expect(rig.helper.applied).toBeUndefined();
    expect(rig.helper.count("restore")).toBe(1);
    expect(rig.memory).toEqual({ wanted: true, dirty: false });
    expect(rig.clock.pending).toBe(0);
    expect(rig.helper.listeners).toBe(0);
    expect((await rig.node.on()).ok).toBe(false);
    await rig.node.settle();
    expect(rig.helper.applied).toBeUndefined();
  });

  it("does not wait for a person when it is disposed of during the prompt", async () => {
    const rig = new NodeRig();
    rig.helper.hold = new Promise(() => {});
    void rig.node.on();
    await settled();
    await rig.node.dispose();
    rig.in("stopped");
    expect(rig.clock.pending).toBe(0);
    expect(rig.memory).toEqual({ wanted: true, dirty: false });
  });

  it("raises no prompt at the end after one was refused, whatever an earlier run left", async () => {
    const rig = new NodeRig();
    rig.memory.dirty = true;
    rig.helper.refusal = REFUSED;
    await rig.node.on();
    await rig.node.dispose();
    expect(rig.helper.calls).toEqual(["ensure"]);
    expect(rig.memory.dirty).toBe(true);
  });
});

describe("what nobody expected", () => {
  it("an exception inside a task is logged, and the node ends in a phase that leads on", async () => {
    const rig = new NodeRig();
    rig.planFails = new Error("a mistake in the planner");
    expect(await rig.node.on()).toMatchObject({ ok: false, error: { code: "internal" } });
    rig.in("failed");
    expect(rig.unexpected).toEqual(["a task failed"]);
    rig.planFails = undefined;
    expect((await rig.node.on()).ok).toBe(true);
  });

  it("an exception while it shares leaves it sharing", async () => {
    const rig = await running();
    rig.planFails = new Error("a mistake in the planner");
    expect((await rig.node.settle()).ok).toBe(false);
    rig.in("running");
    rig.planFails = undefined;
    expect((await rig.node.settle()).ok).toBe(true);
  });

  it("a listener that fails harms nobody", async () => {
    const rig = new NodeRig();
    rig.node.onChange(() => {
      throw new Error("a mistake in a view");
    });
    expect((await rig.node.on()).ok).toBe(true);
    await rig.clock.advance(PEERS_EVERY_MS);
    expect((await rig.node.off()).ok).toBe(true);
    expect(new Set(rig.unexpected)).toEqual(new Set(["a listener failed"]));
  });
});
