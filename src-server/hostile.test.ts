import { connect, type Socket } from "node:net";
import { deflateRawSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { MAX_CONTROL_BYTES } from "../src-shared/relay/control.ts";
import { MAX_MESSAGE_BYTES, RELAY_PROTOCOL } from "../src-shared/relay/frame.ts";
import { eventually } from "../src-shared/testing/eventually.ts";
import type { DropReason, RefusalReason } from "./counters.ts";
import {
  answer,
  createIdentity,
  nonce,
  type TestLink,
  TestNode,
  TestUdpGuest,
  TestWebSocketGuest,
  upgrade,
  wireguard,
} from "./testing/test-node.ts";
import { portRange, startTestServer, type TestServer } from "./testing/test-server.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function server(overrides: Record<string, unknown> = {}): Promise<TestServer> {
  const started = await startTestServer({ udp: { host: "127.0.0.1", ...portRange(2) }, ...overrides });
  cleanups.push(() => started.stop());
  return started;
}

function closing<T extends Pick<TestLink<never>, "vanish">>(link: T): T {
  cleanups.push(() => link.vanish());
  return link;
}

async function guestOf(port: number, from?: string): Promise<TestUdpGuest> {
  const guest = await TestUdpGuest.open(port, from);
  cleanups.push(() => guest.close());
  return guest;
}

function dropped({ server: boson }: TestServer, reason: DropReason): number {
  return boson.counters.dropped[reason];
}

function refused({ server: boson }: TestServer, reason: RefusalReason): number {
  return boson.counters.refused[reason];
}

function destroyAll(sockets: readonly Socket[]): void {
  for (const socket of sockets) socket.destroy();
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

const MALFORMED: { what: string; message: Uint8Array; code: string }[] = [
  { what: "an empty message", message: new Uint8Array(0), code: "wrong-type" },
  { what: "an unknown type", message: Uint8Array.of(9, 1, 2, 3), code: "wrong-type" },
  { what: "a datagram without bytes", message: Uint8Array.of(1, 0, 0, 0, 0), code: "datagram-empty" },
  { what: "a header cut short", message: Uint8Array.of(1, 0, 0, 0), code: "datagram-truncated" },
  { what: "a payload cut short", message: Uint8Array.of(1, 0, 0, 0, 5, 1), code: "datagram-truncated" },
  { what: "bytes behind the last datagram", message: Uint8Array.of(1, 0, 0, 0, 1, 7, 0), code: "datagram-truncated" },
  { what: "a message over 64 KiB", message: new Uint8Array(MAX_MESSAGE_BYTES + 1).fill(1), code: "message-too-long" },
  { what: "deflated garbage", message: Uint8Array.of(2, 255, 255, 255), code: "control-malformed" },
  {
    what: "a deflate bomb",
    message: Buffer.concat([Buffer.of(2), deflateRawSync(Buffer.alloc(8 << 20, 32))]),
    code: "control-malformed",
  },
];

describe("a hostile peer", () => {
  it.each(MALFORMED)("is closed for $what, and others are not disturbed", async ({ message, code }) => {
    const started = await server();
    const bystander = closing(new TestNode(started.url));
    const { udp } = await bystander.register();
    const node = closing(new TestNode(started.url));
    await node.register();
    const guest = closing(new TestWebSocketGuest(started.url));
    await guest.connect({ node: bystander.identity.id });
    for (const link of [node, guest]) {
      link.socket.send(message);
      expect(await link.refused()).toBe(1002);
      expect(link.control).toContainEqual(expect.objectContaining({ type: "error", code }));
    }
    expect(refused(started, "protocol-error")).toBe(2);
    (await guestOf(udp.port)).send(wireguard.initiation(1));
    await eventually("the bystander's guest gets through", () => bystander.datagrams[0]);
  });

  it("is closed for a message over 128 KiB before it is held in memory", async () => {
    const started = await server();
    const node = closing(new TestNode(started.url));
    await node.register();
    node.socket.send(new Uint8Array(128 * 1024 + 1).fill(1));
    expect(await node.refused()).toBe(1009);
  });

  it("is closed for a message ground into fragments", async () => {
    const started = await server();
    const node = closing(new TestNode(started.url));
    await node.register();
    for (let piece = 0; piece < 100; piece++) node.socket.send(Uint8Array.of(1), { fin: false });
    expect(await node.refused()).toBe(1008);
  });

  it("is closed for control messages that are too long, unknown, no JSON, no UTF-8 or of the other direction", async () => {
    const started = await server();
    const texts: [string | Buffer, number][] = [
      [JSON.stringify({ type: "ping", id: 1, filler: "x".repeat(MAX_CONTROL_BYTES) }), 1009],
      ['{"type":"reboot"}', 1002],
      ["not JSON", 1002],
      [Buffer.of(0xff, 0xfe), 1007],
      ['{"type":"drain","withinMs":1}', 1002],
    ];
    for (const [text, code] of texts) {
      const node = closing(new TestNode(started.url));
      await node.register();
      node.socket.send(text, { binary: false });
      expect(await node.refused()).toBe(code);
    }
  });

  it("gets nowhere with messages out of turn", async () => {
    const started = await server();
    const early = closing(new TestNode(started.url));
    await early.opened();
    early.sendDatagram(1, wireguard.data(1));
    expect(await early.refused()).toBe(1002);
    const unasked = closing(new TestNode(started.url));
    await unasked.opened();
    unasked.send({ type: "auth", signature: "A".repeat(86) });
    expect(await unasked.refused()).toBe(1002);
    const twice = closing(new TestNode(started.url));
    await twice.register();
    twice.send({ type: "hello", protocol: RELAY_PROTOCOL, node: twice.identity.id, nonce: nonce() });
    expect(await twice.refused()).toBe(1002);
  });

  it("cannot use another session's id: a node's unknown ids go nowhere, a guest's close it", async () => {
    const started = await server();
    const node = closing(new TestNode(started.url));
    const other = closing(new TestNode(started.url));
    const { udp } = await node.register();
    await other.register();
    const guest = await guestOf(udp.port);
    guest.send(wireguard.initiation(1));
    const { session } = await eventually("the initiation", () => node.datagrams[0]);
    for (const id of [session, session ^ 1, session ^ 0x8000]) other.sendDatagram(id, wireguard.response(2, 1));
    other.send({ type: "session-close", session, reason: "mine" });
    await eventually("all were counted", () => dropped(started, "unknown-session") === 3);
    expect(guest.received).toHaveLength(0);
    expect(other.isOpen).toBe(true);
    const stranger = closing(new TestWebSocketGuest(started.url));
    await stranger.connect({ node: node.identity.id });
    stranger.sendDatagram(77, wireguard.initiation(2));
    expect(await stranger.refused()).toBe(1002);
  });

  it("cannot replay an authentication, sign with another key, or come with a key of small order", async () => {
    const started = await server();
    const victim = createIdentity();
    const honest = closing(new TestNode(started.url, victim));
    await honest.opened();
    const nodeNonce = nonce();
    honest.send({ type: "hello", protocol: RELAY_PROTOCOL, node: victim.id, nonce: nodeNonce });
    const recorded = answer(victim, await eventually("a challenge", () => honest.find("challenge")), nodeNonce);
    honest.send(recorded);
    await eventually("the honest node is in", () => honest.find("registered"));

    const attempts = [
      { node: victim.id, reply: () => recorded },
      {
        node: victim.id,
        reply: (challenge: { server: string; nonce: string }) => answer(createIdentity(), challenge, nodeNonce),
      },
      {
        node: victim.id,
        reply: (challenge: { server: string; nonce: string }) =>
          answer(victim, { ...challenge, server: "evil.example" }, nodeNonce),
      },
      // The point of order one, with the signature that a naive check takes for any message.
      {
        node: Buffer.from(`01${"00".repeat(31)}`, "hex").toString("base64url"),
        reply: () =>
          ({ type: "auth", signature: Buffer.from(`01${"00".repeat(63)}`, "hex").toString("base64url") }) as const,
      },
    ];
    for (const { node, reply } of attempts) {
      const thief = closing(new TestNode(started.url));
      await thief.opened();
      thief.send({ type: "hello", protocol: RELAY_PROTOCOL, node, nonce: nodeNonce });
      thief.send(reply(await eventually("a challenge", () => thief.find("challenge"))));
      expect(await thief.refused()).toBe(4003);
    }
    expect(honest.isOpen).toBe(true);
    expect(refused(started, "unauthorised")).toBe(attempts.length);
  });

  it("is not taken in when it is not on the allow-list", async () => {
    const member = createIdentity();
    const started = await server({ registration: { mode: "allow-list", nodes: [member.id] } });
    await closing(new TestNode(started.url, member)).register();
    await expect(closing(new TestNode(started.url)).register()).rejects.toThrow("4003");
  });

  it("cannot keep others out with half-open connections", async () => {
    const limits = { halfOpen: 50, halfOpenPerSource: 1000 };
    const started = await server({ limits, handshakeTimeoutMs: 3000 });
    const { port } = new URL(started.url.replace("ws:", "http:"));
    const sockets: Socket[] = [];
    cleanups.push(() => destroyAll(sockets));
    for (let index = 0; index < 1000; index++) {
      const socket = connect({ host: "127.0.0.1", port: Number(port) });
      socket.on("error", () => undefined);
      // Some say nothing, some begin a request and never end it.
      if (index % 3 === 1) socket.write("GET /node HTTP/1.1\r\nHost: x\r\n");
      sockets.push(socket);
      if (index % 50 === 0) await turn();
    }
    // All of it: what still waited to be accepted would come after the honest node, and be the one to stay.
    const gone = () => refused(started, "half-open") + refused(started, "handshake-timeout");
    await eventually("the flood is there", () => gone() + started.server.halfOpenCount === 1000);
    expect(refused(started, "half-open")).toBeGreaterThan(500);
    expect(started.server.halfOpenCount).toBeLessThanOrEqual(50);
    await closing(new TestNode(started.url)).register();
    await eventually("the rest timed out", () => started.server.halfOpenCount === 0);
    expect(refused(started, "handshake-timeout")).toBeGreaterThan(0);
  });

  it("is cut off when it sends more than a handshake before it has shown who it is", async () => {
    const started = await server();
    for (const path of ["node", "connect"]) {
      const frame = Buffer.alloc(14 + 9 * 1024);
      // One final binary frame of 100,000 bytes, masked, of which the first 9 KiB come.
      frame.set([0x82, 0xff, 0, 0, 0, 0, 0, 1, 0x86, 0xa0]);
      const { port } = new URL(started.url.replace("ws:", "http:"));
      const socket = connect({ host: "127.0.0.1", port: Number(port) });
      cleanups.push(() => socket.destroy());
      let closed = false;
      socket.on("error", () => undefined);
      socket.on("close", () => {
        closed = true;
      });
      socket.write(upgrade(path));
      socket.once("data", () => socket.write(frame));
      await eventually("the connection is cut", () => closed);
    }
    expect(refused(started, "handshake-size")).toBe(2);
    await closing(new TestNode(started.url)).register();
  });

  it("has a few half-open connections of its own, no more", async () => {
    const started = await server({ limits: { halfOpenPerSource: 3 } });
    const { port } = new URL(started.url.replace("ws:", "http:"));
    const sockets = Array.from({ length: 10 }, () => connect({ host: "127.0.0.1", port: Number(port) }));
    cleanups.push(() => destroyAll(sockets));
    for (const socket of sockets) socket.on("error", () => undefined);
    await eventually("seven were refused", () => refused(started, "half-open") === 7);
    expect(started.server.halfOpenCount).toBe(3);
  });

  it("cannot choose its own address: X-Forwarded-For counts from a trusted proxy only", async () => {
    const limits = { sessionsPerSource: 1 };
    const plain = await server({ limits });
    const proxied = await server({
      limits,
      trustedProxies: ["127.0.0.0/8"],
      udp: { host: "127.0.0.1", ...portRange(3) },
    });
    for (const [started, expected] of [
      [plain, "error"],
      [proxied, "connected"],
    ] as const) {
      const node = closing(new TestNode(started.url));
      await node.register();
      const first = closing(new TestWebSocketGuest(started.url, { "x-forwarded-for": "11.0.0.1" }));
      expect((await first.connect({ node: node.identity.id })).type).toBe("connected");
      const second = closing(new TestWebSocketGuest(started.url, { "x-forwarded-for": "11.0.0.2" }));
      expect((await second.connect({ node: node.identity.id })).type).toBe(expected);
    }
  });

  it("is closed for a flood of control messages or pings", async () => {
    const started = await server({ limits: { controlMessagesPerSecond: 5 } });
    const talker = closing(new TestNode(started.url));
    await talker.register();
    for (let id = 0; id < 200; id++) talker.send({ type: "ping", id });
    expect(await talker.refused()).toBe(1008);
    const pinger = closing(new TestNode(started.url));
    await pinger.register();
    for (let index = 0; index < 200; index++) pinger.socket.ping("x".repeat(100));
    expect(await pinger.refused()).toBe(1008);
    expect(refused(started, "control-flood")).toBe(2);
  });

  it("does not fill memory by not reading: the oldest are dropped, and another node's guests go on", async () => {
    const started = await server({ limits: { queueBytes: 1024 * 1024 } });
    const slow = closing(new TestNode(started.url));
    const { udp } = await slow.register();
    const lively = closing(new TestNode(started.url));
    const other = await lively.register();
    slow.socket.pause();
    const sender = await guestOf(udp.port);
    sender.send(wireguard.initiation(1));
    let peakBytes = 0;
    await eventually("the queue is full", () => {
      for (let index = 0; index < 100; index++) sender.send(wireguard.data(1, 1312, index));
      peakBytes = Math.max(peakBytes, started.server.queuedBytes);
      return dropped(started, "queue-full") > 1000;
    });
    expect(peakBytes).toBeGreaterThan(200 * 1024);
    expect(peakBytes).toBeLessThanOrEqual(256 * 1024);
    (await guestOf(other.udp.port)).send(wireguard.initiation(2));
    await eventually("the other node's guest gets through", () => lively.datagrams[0]);
    slow.vanish();
    await eventually("everything is given back", () => started.server.queuedBytes === 0);
  });

  it("is dropped when it stays silent", async () => {
    const started = await server({ heartbeatMs: 100 });
    const node = closing(new TestNode(started.url));
    await node.register();
    node.socket.pause();
    await eventually("the heartbeat failed", () => refused(started, "heartbeat") === 1);
  });

  it("does not take a flood's victim's share: another source keeps its rate", async () => {
    const started = await server({ limits: { sourcePacketsPerSecond: 1000, sourceBytesPerSecond: 2_000_000 } });
    const node = closing(new TestNode(started.url));
    const { udp } = await node.register();
    const calm = await guestOf(udp.port, "127.0.0.2");
    const flood = await guestOf(udp.port, "127.0.0.3");
    const counts = new Map<number, number>();
    node.onDatagram = (_session, payload) => {
      const who = payload.readUInt32LE(4);
      counts.set(who, (counts.get(who) ?? 0) + 1);
    };
    const sinceMs = performance.now();
    // Ten floods' worth for each calm packet, for as long as it takes to send 300 of those.
    for (let index = 0; index < 300; index++) {
      for (let burst = 0; burst < 40; burst++) flood.send(wireguard.data(66, 1312, index));
      calm.send(wireguard.data(11, 128, index));
      if (index % 4 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      else await turn();
    }
    await eventually("the calm source's packets", () => (counts.get(11) ?? 0) >= 240);
    expect(dropped(started, "source-rate")).toBeGreaterThan(0);
    // Its rate, and as much again at once; a busy machine takes longer to send it all.
    const allowed = 1000 * (1 + (performance.now() - sinceMs) / 1_000);
    expect(counts.get(66) ?? 0).toBeLessThanOrEqual(allowed);
  });

  it("gets nothing amplified: an unproven source never receives more bytes than it sent", async () => {
    const started = await server();
    const node = closing(new TestNode(started.url));
    const { udp } = await node.register();
    const forged = await guestOf(udp.port);
    forged.send(wireguard.initiation(1));
    const { session } = await eventually("the initiation", () => node.datagrams[0]);
    node.sendDatagram(session, wireguard.response(500, 1));
    for (let index = 0; index < 20; index++) node.sendDatagram(session, wireguard.data(1, 1312, index));
    await eventually("the data was held back", () => dropped(started, "unproven-source") === 20);
    const gotBytes = () => forged.received.reduce((sum, { length }) => sum + length, 0);
    expect(gotBytes()).toBe(92);
    // Guesses at the index prove nothing, and after too many of them not even the right one does.
    for (let guess = 0; guess < 64; guess++) forged.send(wireguard.data(guess, 32));
    forged.send(wireguard.data(500, 32));
    await eventually("the guesses arrived", () => node.datagrams.length === 66);
    const sentBytes = 148 + 65 * 32;
    for (let index = 0; index < 20; index++) node.sendDatagram(session, wireguard.data(1, 1312, index));
    await eventually("the data was held back again", () => dropped(started, "unproven-source") === 39);
    expect(gotBytes()).toBeLessThanOrEqual(sentBytes);
  });

  it("cannot fill a node's sessions from forged sources: unproven ones make way, proven ones stay", async () => {
    const limits = { sessionsPerNode: 5, sessionsPerSource: 1000, sessionOpensPerSecond: 1000 };
    const started = await server({ limits });
    const node = closing(new TestNode(started.url));
    const { udp } = await node.register();
    const friend = await guestOf(udp.port);
    friend.send(wireguard.initiation(1));
    const { session } = await eventually("the initiation", () => node.datagrams[0]);
    node.sendDatagram(session, wireguard.response(500, 1));
    await eventually("the response", () => friend.received[0]);
    friend.send(wireguard.data(500, 32));
    await eventually("the proof", () => node.datagrams[1]);
    for (let index = 0; index < 20; index++) (await guestOf(udp.port)).send(wireguard.initiation(100 + index));
    await eventually("all got a session for a while", () => node.sessionsOpened().length === 21);
    expect(started.server.sessionCount).toBe(5);
    node.sendDatagram(session, wireguard.data(1, 1312));
    await eventually("the friend is served", () => friend.received[1]);
  });

  it("cannot open more sessions than a source or a second allows", async () => {
    const started = await server({ limits: { sessionsPerSource: 3, sessionOpensPerSecond: 10 } });
    const node = closing(new TestNode(started.url));
    const { udp } = await node.register();
    for (let index = 0; index < 20; index++) (await guestOf(udp.port)).send(wireguard.initiation(index));
    await eventually(
      "the rest was refused",
      () => dropped(started, "source-limit") + dropped(started, "open-rate") >= 17,
    );
    expect(started.server.sessionCount).toBe(3);
  });

  it("cannot use the relay for anything but WireGuard", async () => {
    const started = await server();
    const node = closing(new TestNode(started.url));
    const { udp } = await node.register();
    const stranger = await guestOf(udp.port);
    for (const text of ["GET / HTTP/1.1", "\u0001", "x".repeat(1400)]) stranger.send(Buffer.from(text));
    stranger.send(wireguard.response(1, 2));
    await eventually("all were dropped", () => {
      return dropped(started, "not-wireguard") === 3 && dropped(started, "unknown-session") === 1;
    });
    expect(started.server.sessionCount).toBe(0);
    stranger.send(wireguard.initiation(1));
    const { session } = await eventually("the initiation", () => node.datagrams[0]);
    node.sendDatagram(session, Buffer.from("anything at all, from the node"));
    await eventually("the node's is dropped too", () => dropped(started, "not-wireguard") === 4);
  });

  it("is refused at the door without the protocol's name, from a browser's page, or on another path", async () => {
    const started = await server();
    const { WebSocket } = await import("ws");
    for (const [path, protocols, headers, status] of [
      ["/node", [], {}, 400],
      ["/node", ["higgs-relay.v0"], {}, 400],
      ["/node", [RELAY_PROTOCOL], { origin: "https://page.example" }, 403],
      ["/other", [RELAY_PROTOCOL], {}, 404],
    ] as const) {
      const socket = new WebSocket(`${started.url}${path}`, [...protocols], { headers });
      let got = 0;
      socket.on("unexpected-response", (request, response) => {
        got = response.statusCode ?? 0;
        request.destroy();
      });
      socket.on("error", () => undefined);
      await eventually("an HTTP answer", () => got !== 0);
      expect(got).toBe(status);
    }
  });
});
