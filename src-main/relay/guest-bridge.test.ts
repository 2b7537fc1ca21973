import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { TestNode, wireguard } from "../../src-server/testing/test-node.ts";
import { portRange, startTestServer, type TestServer } from "../../src-server/testing/test-server.ts";
import { systemClock } from "../../src-shared/clock.ts";
import { parseRelayUrl, type RelayUrl } from "../../src-shared/net/relay-url.ts";
import { unwrap } from "../../src-shared/result.ts";
import { eventually } from "../../src-shared/testing/eventually.ts";
import { createDialer } from "./dialer.ts";
import { type BridgeOptions, type BridgeState, GuestBridge } from "./guest-bridge.ts";
import { Cable } from "./testing/cable.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

let ranges = 0;
async function relay(): Promise<TestServer> {
  const udp = { host: "127.0.0.1", ...portRange(ranges++) };
  const started = await startTestServer({ serverName: "127.0.0.1", udp });
  cleanups.push(() => started.stop());
  return started;
}

async function nodeAt({ url }: TestServer): Promise<TestNode> {
  const node = new TestNode(url);
  cleanups.push(() => node.vanish());
  await node.register();
  return node;
}

function options(ports: readonly number[], node: TestNode): BridgeOptions & { states: BridgeState[] } {
  const states: BridgeState[] = [];
  return {
    clock: systemClock,
    random: () => 0.2,
    dialer: createDialer({ env: {}, monotonicMs: systemClock.monotonicMs }),
    servers: ports.map((port) => parseRelayUrl(`ws://127.0.0.1:${port}`) as RelayUrl),
    target: { node: node.identity.id },
    listen: { host: "127.0.0.1", port: 0 },
    agent: "higgsnode test",
    onState: (state) => states.push(state),
    states,
  };
}

async function open(given: BridgeOptions & { states: BridgeState[] }): Promise<GuestBridge> {
  const bridge = unwrap(await GuestBridge.open(given));
  cleanups.push(() => bridge.close());
  await eventually("the bridge is connected", () => given.states.some(({ state }) => state === "connected"));
  return bridge;
}

/** What WireGuard is to the bridge. */
class Client {
  readonly received: Buffer[] = [];
  readonly #socket: Socket;
  readonly #port: number;

  private constructor(socket: Socket, port: number) {
    this.#socket = socket;
    this.#port = port;
    socket.on("message", (payload) => this.received.push(payload));
  }

  static async of(bridge: GuestBridge): Promise<Client> {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    cleanups.push(() => socket.close());
    return new Client(socket, bridge.endpoint.port);
  }

  send(payload: Uint8Array): void {
    this.#socket.send(payload, this.#port, "127.0.0.1");
  }
}

const portOf = ({ url }: TestServer) => Number(new URL(url).port);

describe("a guest's bridge", () => {
  it("carries WireGuard's datagrams to the node and back, unchanged and in order", async () => {
    const server = await relay();
    const node = await nodeAt(server);
    const client = await Client.of(await open(options([portOf(server)], node)));
    for (let tag = 0; tag < 50; tag++) client.send(wireguard.data(9, 1312, tag));
    await eventually("all to the node", () => node.datagrams.length === 50);
    expect(node.datagrams.map(({ payload }) => payload.readUInt32LE(8))).toEqual(
      Array.from({ length: 50 }, (_, n) => n),
    );
    const session = node.datagrams[0]?.session ?? -1;
    node.sendDatagram(session, wireguard.response(1, 2));
    expect(await eventually("the answer", () => client.received[0])).toEqual(wireguard.response(1, 2));
  });

  it("carries nothing that is not WireGuard's", async () => {
    const server = await relay();
    const node = await nodeAt(server);
    const client = await Client.of(await open(options([portOf(server)], node)));
    client.send(Buffer.from("GET / HTTP/1.1"));
    client.send(wireguard.initiation(3));
    await eventually("the initiation", () => node.datagrams.length > 0);
    expect(node.datagrams.map(({ payload }) => payload)).toEqual([wireguard.initiation(3)]);
  });

  it("answers where WireGuard sent from last", async () => {
    const server = await relay();
    const node = await nodeAt(server);
    const bridge = await open(options([portOf(server)], node));
    const [before, after] = [await Client.of(bridge), await Client.of(bridge)];
    before.send(wireguard.initiation(1));
    await eventually("the first", () => node.datagrams.length === 1);
    after.send(wireguard.initiation(2));
    const { session } = await eventually("the second", () => node.datagrams[1]);
    node.sendDatagram(session, wireguard.response(1, 2));
    await eventually("the answer", () => after.received.length === 1);
    expect(before.received).toEqual([]);
  });

  it("comes back when its connection is cut", async () => {
    const server = await relay();
    const node = await nodeAt(server);
    const cable = await Cable.to(portOf(server));
    cleanups.push(() => cable.close());
    const given = options([cable.port], node);
    const client = await Client.of(await open(given));
    cable.cut();
    await eventually("the way back", () => given.states.filter(({ state }) => state === "connected").length === 2);
    expect(given.states[1]).toMatchObject({ state: "waiting", error: { code: "relay-lost" } });
    client.send(wireguard.data(9, 64));
    await eventually("data", () => node.datagrams.length === 1);
  });

  it("goes to another relay when its own has gone", async () => {
    const [server, gone] = [await relay(), await Cable.to(1)];
    cleanups.push(() => gone.close());
    const given = options([gone.port, portOf(server)], await nodeAt(server));
    await open(given);
    expect(given.states).toEqual([{ state: "connected", url: server.url }]);
  });

  it("says that the node is not there, and finds it when it is", async () => {
    const server = await relay();
    const away = new TestNode(server.url);
    cleanups.push(() => away.vanish());
    const given = options([portOf(server)], away);
    const bridge = unwrap(await GuestBridge.open(given));
    cleanups.push(() => bridge.close());
    await eventually("a refusal", () => given.states.length > 0);
    expect(given.states[0]).toMatchObject({
      state: "waiting",
      error: { code: "relay-refused", message: "The relay refused: no such node is connected" },
    });
    await away.register();
    await eventually("the node", () => given.states.at(-1)?.state === "connected");
  });

  it("cannot take a port that is in use, and says so", async () => {
    const server = await relay();
    const node = await nodeAt(server);
    const given = options([portOf(server)], node);
    const { endpoint } = await open(given);
    expect(await GuestBridge.open({ ...given, listen: endpoint })).toMatchObject({
      ok: false,
      error: { code: "listen-failed" },
    });
  });

  it("is silent after it was closed, and takes no datagrams", async () => {
    const server = await relay();
    const node = await nodeAt(server);
    const given = options([portOf(server)], node);
    const bridge = await open(given);
    bridge.close();
    bridge.close();
    await eventually("the relay to notice", () => server.server.sessionCount === 0);
    expect(given.states).toHaveLength(1);
  });
});
