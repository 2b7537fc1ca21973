import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { createIdentity, nonce } from "../../src-server/testing/test-node.ts";
import { systemClock } from "../../src-shared/clock.ts";
import type { RelayLinkState } from "../../src-shared/model/relay-link.ts";
import { parseRelayUrl, type RelayUrl } from "../../src-shared/net/relay-url.ts";
import { encodeDatagrams } from "../../src-shared/relay/frame.ts";
import { ok } from "../../src-shared/result.ts";
import { eventually } from "../../src-shared/testing/eventually.ts";
import { recordingLog } from "../logs/testing/recording-log.ts";
import { createDialer } from "./dialer.ts";
import { RelayPool } from "./relay-pool.ts";
import { FakeWireguard } from "./testing/fake-wireguard.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const REGISTERED = {
  type: "registered",
  udp: { host: "127.0.0.1", port: 40_000 },
  resume: "again",
  resumed: false,
  sessions: [],
  graceMs: 60_000,
  heartbeatMs: 15_000,
  features: [],
};

interface Hostile {
  readonly pool: RelayPool;
  readonly wireguard: FakeWireguard;
  /** What the node has sent as text. */
  readonly heard: { type: string; session?: number }[];
  /** The first error the pool came to wait with. */
  error(): Promise<Extract<RelayLinkState, { state: "waiting" }>["error"]>;
}

/** A relay that answers hello as told, and auth by `afterAuth`; the first connection only, later ones stay silent. */
async function facing(
  afterAuth: (socket: WebSocket) => void,
  { server = "127.0.0.1", onHello = undefined as ((socket: WebSocket) => void) | undefined, maxSessions = 100 } = {},
): Promise<Hostile> {
  const sockets = new WebSocketServer({
    port: 0,
    host: "127.0.0.1",
    handleProtocols: (names) => [...names][0] ?? false,
  });
  await once(sockets, "listening");
  cleanups.push(() => {
    for (const client of sockets.clients) client.terminate();
    sockets.close();
  });
  const heard: { type: string; session?: number }[] = [];
  let connections = 0;
  sockets.on("connection", (socket) => {
    if (++connections > 1) return;
    socket.on("error", () => undefined);
    socket.on("message", (data: Buffer, isBinary) => {
      if (isBinary) return;
      const message = JSON.parse(data.toString()) as { type: string };
      heard.push(message);
      if (message.type === "hello") {
        if (onHello !== undefined) onHello(socket);
        else socket.send(JSON.stringify({ type: "challenge", server, nonce: nonce() }));
      }
      if (message.type === "auth") afterAuth(socket);
    });
  });
  const wireguard = await FakeWireguard.open();
  cleanups.push(() => wireguard.close());
  const identity = createIdentity();
  const states: RelayLinkState[] = [];
  const pool = new RelayPool({
    clock: systemClock,
    random: () => 1,
    dialer: createDialer({ env: {}, monotonicMs: systemClock.monotonicMs }),
    identity: () => ok({ id: identity.id, sign: () => "A".repeat(86) }),
    servers: [parseRelayUrl(`ws://127.0.0.1:${(sockets.address() as AddressInfo).port}`) as RelayUrl],
    wireguardPort: wireguard.port,
    agent: "higgsnode test",
    logger: recordingLog().logger,
    onState: (state) => states.push(state),
    maxSessions,
  });
  cleanups.push(() => pool.dispose());
  pool.start();
  return {
    pool,
    wireguard,
    heard,
    error: async () => {
      const waiting = await eventually("an error", () => states.find((state) => state.state === "waiting"));
      return waiting.error;
    },
  };
}

const send = (socket: WebSocket, message: unknown) => socket.send(JSON.stringify(message));

describe("a node facing a hostile relay", () => {
  it("signs nothing for a relay that goes by another name than the one dialled", async () => {
    const hostile = await facing(() => undefined, { server: "bank.example" });
    expect(await hostile.error()).toMatchObject({ code: "relay-other-name" });
    expect(hostile.heard.some(({ type }) => type === "auth")).toBe(false);
  });

  it.each<[string, (socket: WebSocket) => void]>([
    ["registers without a challenge", (socket) => send(socket, REGISTERED)],
    ["sends datagrams first", (socket) => socket.send(encodeDatagrams([{ session: 1, payload: Buffer.alloc(32) }]))],
    ["sends what is not JSON", (socket) => socket.send("{")],
    ["sends an unknown message", (socket) => send(socket, { type: "own-you" })],
    ["sends a binary message of no type", (socket) => socket.send(Buffer.from([9, 9]))],
    ["sends an empty binary message", (socket) => socket.send(Buffer.alloc(0))],
    ["sends a long control message", (socket) => socket.send(" ".repeat(20_000))],
  ])("ends the connection when it %s", async (_, onHello) => {
    const hostile = await facing(() => undefined, { onHello });
    expect(await hostile.error()).toMatchObject({ code: "relay-protocol-error" });
  });

  it("ends the connection when a message is longer than any may be", async () => {
    const hostile = await facing(() => undefined, { onHello: (socket) => socket.send(Buffer.alloc(200_000, 1)) });
    expect(await hostile.error()).toMatchObject({ code: "relay-unreachable" });
  });

  it.each<[string, Buffer]>([
    ["with an empty datagram", Buffer.from([1, 0, 1, 0, 0])],
    ["that is cut off", Buffer.from([1, 0, 1, 0, 9, 1])],
  ])("hands nothing of a batch %s to WireGuard, and ends the connection", async (_, tail) => {
    const good = encodeDatagrams([{ session: 1, payload: Buffer.alloc(32, 4) }]);
    const hostile = await facing((socket) => {
      send(socket, { ...REGISTERED, sessions: [1] });
      socket.send(Buffer.concat([good, tail.subarray(1)]));
    });
    expect(await hostile.error()).toMatchObject({ code: "relay-protocol-error" });
    expect(hostile.wireguard.received).toEqual([]);
  });

  it("opens a bounded number of sockets, says which sessions it refused, and ends a flood", async () => {
    const hostile = await facing((socket) => {
      send(socket, REGISTERED);
      for (let session = 0; session < 1_000; session++) send(socket, { type: "session-open", session, via: "udp" });
      for (let session = 0; session < 1_000; session++)
        socket.send(encodeDatagrams([{ session, payload: Buffer.alloc(32, 4) }]));
    });
    await eventually("all that were let in", () => hostile.wireguard.received.length === 100);
    const refused = hostile.heard.filter(({ type }) => type === "session-close");
    expect(refused).toHaveLength(900);
    expect(hostile.pool.state).toMatchObject({ state: "connected" });
  });

  it("ends the connection of a relay that floods it with control messages", async () => {
    const hostile = await facing((socket) => {
      send(socket, REGISTERED);
      for (let id = 0; id < 10_000; id++) send(socket, { type: "session-open", session: id % 65_536, via: "udp" });
    });
    expect(await hostile.error()).toMatchObject({ code: "relay-protocol-error" });
  });

  it("takes no more sessions than it may from a list that claims to resume them", async () => {
    const hostile = await facing((socket) => {
      send(socket, { ...REGISTERED, resumed: true, sessions: Array.from({ length: 2_000 }, (_, id) => id) });
    });
    await eventually(
      "the refusals",
      () => hostile.heard.filter(({ type }) => type === "session-close").length === 1_900,
    );
    expect(hostile.pool.state).toMatchObject({ state: "connected", sessions: 100 });
  });

  it("shows a relay's own words without what could mislead a terminal", async () => {
    const hostile = await facing((socket) => {
      send(socket, { type: "error", code: "x", message: `\u001b[2Jno\n\n${"a".repeat(400)}` });
      socket.close(4003, "x");
    });
    const { code, message } = await hostile.error();
    expect(code).toBe("relay-refused");
    expect(message).toMatch(/^The relay refused: \[2Jno a+$/);
    expect(message.length).toBeLessThan(250);
  });
});
