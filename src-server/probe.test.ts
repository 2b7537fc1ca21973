import { createSocket } from "node:dgram";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { type Clock, systemClock } from "../src-shared/clock.ts";
import { eventually } from "../src-shared/testing/eventually.ts";
import { FakeClock } from "../src-shared/testing/fake-clock.ts";
import { configSchema } from "./config.ts";
import { Prober, plainAddress } from "./probe.ts";
import { createInitiation, createProbeKey } from "./probe-handshake.ts";
import { TestNode } from "./testing/test-node.ts";
import { startTestServer } from "./testing/test-server.ts";
import { WireguardResponder } from "./testing/wireguard-responder.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function responder(): Promise<WireguardResponder> {
  const opened = await WireguardResponder.open();
  cleanups.push(() => opened.close());
  return opened;
}

/** For a silence that is waited for: it lasts a tenth as long. */
const hurried: Clock = { ...systemClock, after: (ms, action) => systemClock.after(ms / 10, action) };

function prober(probe: Record<string, unknown> = { privateAddresses: true }, clock: Clock = systemClock): Prober {
  const made = new Prober({ config: configSchema.parse({ udp: { host: "127.0.0.1" }, probe }), clock });
  cleanups.push(() => made.dispose());
  return made;
}

const base64 = (key: Buffer) => key.toString("base64");

describe("the handshake initiation", () => {
  it("is understood by a responder written from the paper, and proves the responder's key by its answer", async () => {
    const node = await responder();
    const probeKey = createProbeKey();
    node.addPeer(probeKey.publicKey);
    const made = createInitiation({ probeKey, nodeKey: node.publicKey, senderIndex: 0xfedc_ba98, timestampMs: 1 });
    expect(made.message).toHaveLength(148);
    const response = node.answer(made.message);
    expect(response && made.read(response)).toBe("answered");
  });

  it("takes no answer whose tag, index, ephemeral key or length is not right", async () => {
    const node = await responder();
    const probeKey = createProbeKey();
    node.addPeer(probeKey.publicKey);
    const made = createInitiation({ probeKey, nodeKey: node.publicKey, senderIndex: 5, timestampMs: 1 });
    const response = node.answer(made.message) ?? Buffer.alloc(0);
    for (const at of [0, 8, 12, 40, 44, 59]) {
      const forged = Buffer.from(response);
      forged[at] = (forged[at] ?? 0) ^ 1;
      expect({ at, read: made.read(forged) }).toEqual({ at, read: undefined });
    }
    expect(made.read(response.subarray(0, 91))).toBeUndefined();
    const smallOrder = Buffer.from(response);
    smallOrder.fill(0, 12, 44);
    expect(made.read(smallOrder)).toBeUndefined();
  });

  it("takes a cookie reply to its own index as a sign of life", () => {
    const made = createInitiation({
      probeKey: createProbeKey(),
      nodeKey: createProbeKey().publicKey,
      senderIndex: 77,
      timestampMs: 1,
    });
    const cookie = Buffer.alloc(64);
    cookie[0] = 3;
    expect(made.read(cookie)).toBeUndefined();
    cookie.writeUInt32LE(77, 4);
    expect(made.read(cookie)).toBe("busy");
  });
});

describe("the prober", () => {
  it("reports an answer with its time", async () => {
    const node = await responder();
    const probing = prober();
    node.addPeer(Buffer.from(probing.publicKey, "base64"));
    const target = { address: "127.0.0.1", port: node.port, publicKey: base64(node.publicKey) };
    const outcome = await probing.probe(target);
    expect(outcome).toEqual({ outcome: "answered", ms: expect.any(Number) });
  });

  it("can prove the same node again and again, though nodes refuse timestamps that do not grow", async () => {
    const node = await responder();
    const probing = prober();
    node.addPeer(Buffer.from(probing.publicKey, "base64"));
    const target = { address: "127.0.0.1", port: node.port, publicKey: base64(node.publicKey) };
    for (let round = 0; round < 4; round++) expect((await probing.probe(target)).outcome).toBe("answered");
    expect(node.received).toBe(4);
  });

  it("reports silence after three tries, for a node that does not answer and for a port nobody listens on", async () => {
    const node = await responder();
    node.mute = true;
    const probing = prober(undefined, hurried);
    const closed = await responder();
    const closedPort = closed.port;
    closed.close();
    cleanups.splice(cleanups.length - 1, 1);
    const publicKey = base64(node.publicKey);
    const outcomes = await Promise.all([
      probing.probe({ address: "127.0.0.1", port: node.port, publicKey }),
      probing.probe({ address: "127.0.0.1", port: closedPort, publicKey }),
    ]);
    expect(outcomes).toEqual([{ outcome: "silence" }, { outcome: "silence" }]);
    expect(node.received).toBe(3);
  });

  it("does not take another address's word for the node's", async () => {
    const node = await responder();
    const probing = prober(undefined, hurried);
    const stranger = createSocket("udp4").bind(0, "127.0.0.1");
    cleanups.push(() => stranger.close());
    await once(stranger, "listening");
    const relay = createSocket("udp4").bind(0, "127.0.0.1");
    cleanups.push(() => relay.close());
    await once(relay, "listening");
    node.addPeer(Buffer.from(probing.publicKey, "base64"));
    // The right answer, from the wrong port.
    stranger.on("message", (message, { address, port }) => {
      const answer = node.answer(message);
      if (answer !== undefined) relay.send(answer, port, address);
    });
    const { port } = stranger.address();
    const outcome = await probing.probe({ address: "127.0.0.1", port, publicKey: base64(node.publicKey) });
    expect(outcome).toEqual({ outcome: "silence" });
  });

  it("refuses addresses nobody has on the internet, unless its operator allows them", async () => {
    const probing = prober({});
    const publicKey = base64(createProbeKey().publicKey);
    for (const address of ["127.0.0.1", "::ffff:192.168.1.1", "10.1.2.3", "100.64.0.1", "fe80::1%eth0", "nonsense"]) {
      expect(await probing.probe({ address, port: 51820, publicKey })).toEqual({
        outcome: "refused",
        code: "probe-not-public",
      });
    }
    const off = prober({ enabled: false });
    expect(await off.probe({ address: "11.22.33.44", port: 1, publicKey })).toMatchObject({ code: "probe-off" });
  });

  it("refuses keys that nothing can be agreed with", async () => {
    const outcome = await prober().probe({ address: "127.0.0.1", port: 9, publicKey: base64(Buffer.alloc(32)) });
    expect(outcome).toEqual({ outcome: "refused", code: "probe-bad-key" });
  });

  it("sends no faster than its rate, whichever nodes of one network ask, and ends what is under way with the server", async () => {
    const clock = new FakeClock();
    const probing = prober({ privateAddresses: true }, clock);
    const publicKey = base64(createProbeKey().publicKey);
    const ask = () => probing.probe({ address: "127.0.0.1", port: 9, publicKey });
    const first = Array.from({ length: 6 }, ask);
    expect(await ask()).toEqual({ outcome: "refused", code: "probe-busy" });
    probing.dispose();
    expect((await Promise.all(first)).map(({ outcome }) => outcome)).toEqual(Array(6).fill("silence"));
    expect(clock.pending).toBe(0);
  });

  it("knows IPv4 addresses in IPv6 clothes", () => {
    expect(["::ffff:1.2.3.4", "1.2.3.4", "2001:db8::1", "fe80::1%eth0"].map(plainAddress)).toEqual([
      "1.2.3.4",
      "1.2.3.4",
      "2001:db8::1",
      "fe80::1",
    ]);
  });
});

describe("a node's connection", () => {
  it("is told where it comes from, and gets its probe", async () => {
    const started = await startTestServer();
    cleanups.push(() => started.stop());
    const wireguard = await responder();
    const node = new TestNode(started.url);
    cleanups.push(() => node.vanish());
    const { seen, probeKey, stun, features } = await node.register();
    expect({ seen, features }).toEqual({ seen: "127.0.0.1", features: ["probe", "probe-visits", "stun", "seals"] });
    expect(stun?.port).toBe(started.server.addresses.stun?.port);
    wireguard.addPeer(Buffer.from(probeKey ?? "", "base64"));
    node.send({ type: "probe", id: 3, publicKey: base64(wireguard.publicKey), port: wireguard.port });
    const result = await eventually("a result", () => node.find("probe-result"));
    expect(result).toMatchObject({
      id: 3,
      endpoint: { host: "127.0.0.1", port: wireguard.port },
      result: { outcome: "answered" },
    });
    expect(started.server.counters.probes).toEqual({ answered: 1, silence: 0, refused: 0 });
  });

  it("gets one probe at a time", async () => {
    const started = await startTestServer();
    cleanups.push(() => started.stop());
    const wireguard = await responder();
    wireguard.mute = true;
    const node = new TestNode(started.url);
    cleanups.push(() => node.vanish());
    await node.register();
    for (const id of [1, 2]) {
      node.send({ type: "probe", id, publicKey: base64(wireguard.publicKey), port: wireguard.port });
    }
    const result = await eventually("a result", () => node.find("probe-result"));
    expect(result).toMatchObject({ id: 2, result: { outcome: "refused", code: "probe-busy" } });
  });

  it("for a probe alone is probed at its own address, takes nothing from the node's registration, and ends", async () => {
    const started = await startTestServer();
    cleanups.push(() => started.stop());
    const wireguard = await responder();
    const node = new TestNode(started.url);
    cleanups.push(() => node.vanish());
    const { probeKey } = await node.register();
    const visitor = new TestNode(started.url, node.identity);
    cleanups.push(() => visitor.vanish());
    await visitor.sayHello({ purpose: "probe" });
    const observed = await eventually("to be observed", () => visitor.find("observed"));
    expect(observed).toEqual({ type: "observed", seen: "127.0.0.1", probeKey });
    wireguard.addPeer(Buffer.from(observed.probeKey, "base64"));
    visitor.send({ type: "probe", id: 1, publicKey: base64(wireguard.publicKey), port: wireguard.port });
    const result = await eventually("a result", () => visitor.find("probe-result"));
    expect(result).toMatchObject({ endpoint: { host: "127.0.0.1" }, result: { outcome: "answered" } });
    expect([node.closed, visitor.find("registered")]).toEqual([undefined, undefined]);
    visitor.sendDatagram(1, Buffer.from([1]));
    expect(await visitor.refused()).toBe(1002);
  });

  it("for a probe alone finds a place only where there is one, and gives it back", async () => {
    const probing = prober();
    const places = Array.from({ length: 128 }, () => probing.visit());
    expect(places.every((leave) => leave !== undefined)).toBe(true);
    expect(probing.visit()).toBeUndefined();
    for (let again = 0; again < 2; again++) places[0]?.();
    expect(probing.visit()).toBeDefined();
    expect(probing.visit()).toBeUndefined();
    expect(prober({ enabled: false }).visit()).toBeUndefined();
  });

  it("gets no probe before it has shown who it is", async () => {
    const started = await startTestServer();
    cleanups.push(() => started.stop());
    const node = new TestNode(started.url);
    await node.opened();
    node.send({ type: "probe", id: 1, publicKey: base64(createProbeKey().publicKey), port: 9 });
    expect(await node.refused()).toBe(1002);
  });
});
