import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { eventually } from "../src-shared/testing/eventually.ts";
import {
  createIdentity,
  type TestLink,
  TestNode,
  TestUdpGuest,
  TestWebSocketGuest,
  wireguard,
} from "./testing/test-node.ts";
import { portRange, startTestServer, type TestServer } from "./testing/test-server.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function server(overrides: Record<string, unknown> = {}): Promise<TestServer> {
  const started = await startTestServer({ udp: { host: "127.0.0.1", ...portRange(1) }, ...overrides });
  cleanups.push(() => started.stop());
  return started;
}

function closing<T extends Pick<TestLink<never>, "vanish">>(link: T): T {
  cleanups.push(() => link.vanish());
  return link;
}

async function guestOf(port: number): Promise<TestUdpGuest> {
  const guest = await TestUdpGuest.open(port);
  cleanups.push(() => guest.close());
  return guest;
}

/** Initiation, response, first data: after this the guest's address is proven. */
async function shakeHands(guest: TestUdpGuest, node: TestNode, index = 7): Promise<number> {
  const before = node.datagrams.length;
  guest.send(wireguard.initiation(index));
  const initiation = await eventually("the initiation arrives", () => node.datagrams[before]);
  node.sendDatagram(initiation.session, wireguard.response(1000 + index, index));
  await eventually("the response arrives", () => guest.received.find((payload) => payload[0] === 2));
  guest.send(wireguard.data(1000 + index, 32));
  await eventually("the first data arrives", () => node.datagrams.find(({ payload }) => payload[0] === 4));
  return initiation.session;
}

describe("the relay", () => {
  it("carries a guest's handshake and data to the node and back, unchanged and in order", async () => {
    const { url } = await server();
    const node = closing(new TestNode(url));
    const { udp, resumed, sessions } = await node.register();
    expect({ resumed, sessions }).toEqual({ resumed: false, sessions: [] });
    const guest = await guestOf(udp.port);
    const session = await shakeHands(guest, node);
    expect(node.sessionsOpened()).toEqual([session]);
    for (let tag = 0; tag < 200; tag++) node.sendDatagram(session, wireguard.data(7, 1312, tag));
    await eventually("all data arrives", () => guest.received.length >= 201);
    const tags = guest.received.slice(1).map((payload) => payload.readUInt32LE(8));
    expect(tags).toEqual(Array.from({ length: 200 }, (_, tag) => tag));
  });

  it("keeps two guests of one node apart", async () => {
    const { url } = await server();
    const node = closing(new TestNode(url));
    const { udp } = await node.register();
    const [one, two] = [await guestOf(udp.port), await guestOf(udp.port)];
    const first = await shakeHands(one, node, 1);
    node.datagrams.length = 0;
    const second = await shakeHands(two, node, 2);
    expect(first).not.toBe(second);
    node.sendDatagram(second, wireguard.data(2, 64, 99));
    await eventually("data for the second", () => two.received.find((payload) => payload.length === 64));
    expect(one.received.some((payload) => payload.length === 64)).toBe(false);
  });

  it("gives a node the same port and sessions after its connection was lost", async () => {
    const { url } = await server();
    const identity = createIdentity();
    const node = closing(new TestNode(url, identity));
    const before = await node.register();
    const guest = await guestOf(before.udp.port);
    const session = await shakeHands(guest, node);
    node.vanish();
    const again = closing(new TestNode(url, identity));
    const after = await again.register(before.resume);
    expect(after).toMatchObject({ udp: before.udp, resume: before.resume, resumed: true, sessions: [session] });
    guest.send(wireguard.data(1007, 64, 5));
    const data = await eventually("data through the new connection", () => again.datagrams[0]);
    expect(data.session).toBe(session);
    again.sendDatagram(session, wireguard.data(7, 1312, 6));
    await eventually("the answer", () => guest.received.find((payload) => payload.length === 1312));
  });

  it("starts afresh for a node that does not ask for its sessions, and guests go on in new ones", async () => {
    const { url } = await server();
    const identity = createIdentity();
    const node = closing(new TestNode(url, identity));
    const { udp, resume } = await node.register();
    const guest = await guestOf(udp.port);
    await shakeHands(guest, node);
    const again = closing(new TestNode(url, identity));
    const after = await again.register();
    expect(await node.refused()).toBe(4001);
    expect(after.resumed).toBe(false);
    expect(after.resume).not.toBe(resume);
    guest.send(wireguard.data(1007, 64));
    await eventually("data in a new session", () => again.datagrams[0]);
    expect(again.sessionsOpened()).toHaveLength(1);
  });

  it("keeps ports and proofs across a restart, so that a download goes on at once", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "boson-test-"));
    cleanups.push(() => rmSync(dataDir, { recursive: true, force: true }));
    const first = await server({ dataDir });
    const identity = createIdentity();
    const node = closing(new TestNode(first.url, identity));
    const { udp } = await node.register();
    const guest = await guestOf(udp.port);
    await shakeHands(guest, node);
    await first.stop();
    const second = await server({ dataDir });
    const again = closing(new TestNode(second.url, identity));
    expect((await again.register()).udp).toEqual(udp);
    guest.send(wireguard.data(1007, 32));
    const { session } = await eventually("data after the restart", () => again.datagrams[0]);
    for (let tag = 0; tag < 20; tag++) again.sendDatagram(session, wireguard.data(7, 1312, tag));
    await eventually("more than was sent", () => guest.received.filter(({ length }) => length === 1312).length === 20);
  });

  it("carries a guest whose network lets only TCP through, by the node's id or by its port", async () => {
    const { url } = await server();
    const node = closing(new TestNode(url));
    const { udp } = await node.register();
    for (const target of [{ node: node.identity.id }, { port: udp.port }]) {
      node.datagrams.length = 0;
      const guest = closing(new TestWebSocketGuest(url));
      const connected = await guest.connect(target);
      if (connected.type !== "connected") throw new Error(connected.type);
      guest.sendDatagram(connected.session, wireguard.initiation(3));
      const { session } = await eventually("the initiation", () => node.datagrams[0]);
      node.sendDatagram(session, wireguard.response(9, 3));
      const answer = await eventually("the response", () => guest.datagrams[0]);
      expect(answer.session).toBe(connected.session);
      expect(answer.payload).toEqual(wireguard.response(9, 3));
      await guest.close();
      await eventually("the node is told", () =>
        node.control.some((message) => message.type === "session-close" && message.session === session),
      );
    }
  });

  it("ends a guest's session when the node closes it, and opens another for the next datagram", async () => {
    const { url } = await server();
    const node = closing(new TestNode(url));
    const { udp } = await node.register();
    const guest = await guestOf(udp.port);
    const session = await shakeHands(guest, node);
    node.send({ type: "session-close", session, reason: "enough" });
    await eventually("a new session", () => {
      guest.send(wireguard.data(1007, 32));
      return node.sessionsOpened().length === 2;
    });
  });

  it("tells everyone to move when it drains, takes nobody new, and stops when they have left", async () => {
    const { server: boson, url } = await server({ drainMs: 600_000 });
    const node = closing(new TestNode(url));
    await node.register();
    const guest = closing(new TestWebSocketGuest(url));
    await guest.connect({ node: node.identity.id });
    const drained = boson.drain();
    await eventually("the node is told", () => node.find("drain"));
    await eventually("the guest is told", () => guest.find("drain"));
    await expect(new TestNode(url).register()).rejects.toThrow("refused");
    await node.close();
    await guest.close();
    await drained;
    expect(boson.sessionCount).toBe(0);
  });

  it("closes with 'restart' what is still there when it stops", async () => {
    const { server: boson, url } = await server();
    const node = closing(new TestNode(url));
    await node.register();
    await boson.stop();
    expect(await node.refused()).toBe(1012);
  });

  it("forgets a node that stays away longer than the grace time", async () => {
    const { url, admin } = await server({ graceMs: 50 });
    const node = closing(new TestNode(url));
    const { udp } = await node.register();
    node.vanish();
    const guest = closing(new TestWebSocketGuest(url));
    await guest.opened();
    const isGone = async () => /^higgs_relay_nodes_in_grace 0$/m.test(await (await fetch(`${admin}/metrics`)).text());
    let gone = false;
    await eventually("the node is gone", () => {
      isGone().then((value) => {
        gone = value;
      });
      return gone;
    });
    expect((await guest.connect({ port: udp.port })).type).toBe("error");
    expect(await guest.refused()).toBe(4004);
  });

  it("says how it is, and counts what it did", async () => {
    const { url, admin } = await server();
    const node = closing(new TestNode(url));
    const { udp } = await node.register();
    const guest = await guestOf(udp.port);
    await shakeHands(guest, node);
    expect(await (await fetch(url.replace("ws:", "http:").concat("/healthz"))).json()).toEqual({ status: "ok" });
    expect((await fetch(`${url.replace("ws:", "http:")}/metrics`)).status).toBe(404);
    const text = await (await fetch(`${admin}/metrics`)).text();
    expect(text).toMatch(/^higgs_relay_nodes 1$/m);
    expect(text).toMatch(/^higgs_relay_sessions 1$/m);
    expect(text).toMatch(/^higgs_relay_to_nodes_datagrams_total 2$/m);
    expect(text).toMatch(/^higgs_relay_to_guests_bytes_total 92$/m);
    expect(text).toMatch(/^higgs_relay_dropped_datagrams_total\{reason="source-rate"\} 0$/m);
  });

  it("writes no address and no whole key into its logs", async () => {
    const { url, logs } = await server();
    const node = closing(new TestNode(url));
    await node.register();
    await eventually("a log line", () => logs.some((line) => line.includes("node-registered")));
    expect(logs.join("")).not.toContain(node.identity.id);
    expect(logs.join("")).not.toContain("127.0.0.1");
  });
});
