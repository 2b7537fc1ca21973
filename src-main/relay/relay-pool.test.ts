import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { TestUdpGuest, wireguard } from "../../src-server/testing/test-node.ts";
import { portRange, startTestServer, type TestServer } from "../../src-server/testing/test-server.ts";
import { systemClock } from "../../src-shared/clock.ts";
import type { RelayLinkState } from "../../src-shared/model/relay-link.ts";
import { parseRelayUrl, type RelayUrl } from "../../src-shared/net/relay-url.ts";
import { fail } from "../../src-shared/result.ts";
import { eventually } from "../../src-shared/testing/eventually.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { recordingLog } from "../logs/testing/recording-log.ts";
import { createDialer, type Dialer } from "./dialer.ts";
import { openRelayIdentity } from "./relay-identity.ts";
import { RelayPool, type RelayPoolOptions } from "./relay-pool.ts";
import { Cable } from "./testing/cable.ts";
import { FakeWireguard } from "./testing/fake-wireguard.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

let ranges = 0;
async function relay(overrides: Record<string, unknown> = {}): Promise<TestServer> {
  const started = await startTestServer({
    serverName: "127.0.0.1",
    udp: { host: "127.0.0.1", ...portRange(ranges++) },
    ...overrides,
  });
  cleanups.push(() => started.stop());
  return started;
}

function folder(): string {
  const dataDir = mkdtempSync(join(tmpdir(), "higgs-pool-"));
  cleanups.push(() => rmSync(dataDir, { recursive: true, force: true }));
  return dataDir;
}

function urlOf(port: number): RelayUrl {
  return parseRelayUrl(`ws://127.0.0.1:${port}`) as RelayUrl;
}

function portOf({ url }: TestServer): number {
  return Number(new URL(url).port);
}

function dialer(): Dialer {
  return createDialer({ env: {}, monotonicMs: systemClock.monotonicMs });
}

interface Node {
  readonly pool: RelayPool;
  readonly wireguard: FakeWireguard;
  readonly states: RelayLinkState[];
  connected(name?: string): Promise<Extract<RelayLinkState, { state: "connected" }>>;
}

async function node(ports: readonly number[], overrides: Partial<RelayPoolOptions> = {}): Promise<Node> {
  const fake = await FakeWireguard.open();
  const dataDir = folder();
  const states: RelayLinkState[] = [];
  const pool = new RelayPool({
    clock: systemClock,
    random: () => 0.2,
    dialer: dialer(),
    identity: () => openRelayIdentity(dataDir),
    servers: ports.map(urlOf),
    wireguardPort: fake.port,
    agent: "higgsnode test",
    logger: recordingLog().logger,
    onState: (state) => states.push(state),
    ...overrides,
  });
  cleanups.push(() => fake.close());
  cleanups.push(() => pool.dispose());
  pool.start();
  return {
    pool,
    wireguard: fake,
    states,
    connected: (name) =>
      eventually("the node is connected", () =>
        pool.state.state === "connected" && (name === undefined || pool.state.url === name) ? pool.state : undefined,
      ),
  };
}

async function guestOf(port: number): Promise<TestUdpGuest> {
  const guest = await TestUdpGuest.open(port);
  cleanups.push(() => guest.close());
  return guest;
}

/** Initiation, response, first data: after this the relay takes the guest's address for proven. Its source at WireGuard. */
async function shakeHands({ wireguard: fake }: Node, guest: TestUdpGuest, index = 7): Promise<number> {
  const before = fake.received.length;
  guest.send(wireguard.initiation(index));
  const { port } = await eventually("the initiation", () => fake.received[before]);
  fake.answer(port, wireguard.response(1000 + index, index));
  await eventually("the response", () => guest.received.find((payload) => payload[0] === 2));
  guest.send(wireguard.data(1000 + index, 32));
  await eventually("the first data", () => fake.received[before + 1]);
  return port;
}

describe("a node behind a relay", () => {
  it("is reached by a guest, whose packets come through unchanged and in order, both ways", async () => {
    const server = await relay();
    const home = await node([portOf(server)]);
    const { publicEndpoint, url } = await home.connected();
    expect(url).toBe(server.url);
    const guest = await guestOf(publicEndpoint.port);
    const port = await shakeHands(home, guest);
    for (let tag = 0; tag < 100; tag++) {
      home.wireguard.answer(port, wireguard.data(7, 1312, tag));
      guest.send(wireguard.data(1007, 1312, tag));
    }
    await eventually("all data", () => guest.received.length === 101 && home.wireguard.received.length === 102);
    const tags = Array.from({ length: 100 }, (_, tag) => tag);
    expect(guest.received.slice(1).map((payload) => payload.readUInt32LE(8))).toEqual(tags);
    expect(home.wireguard.received.slice(2).map(({ payload }) => payload.readUInt32LE(8))).toEqual(tags);
    expect(new Set(home.wireguard.received.map((one) => one.port))).toEqual(new Set([port]));
    expect(home.pool.state).toMatchObject({ state: "connected", dropped: 0 });
  });

  it("gives every guest a source of its own at WireGuard", async () => {
    const server = await relay();
    const home = await node([portOf(server)]);
    const { publicEndpoint } = await home.connected();
    const one = await shakeHands(home, await guestOf(publicEndpoint.port), 1);
    const two = await shakeHands(home, await guestOf(publicEndpoint.port), 2);
    expect(one).not.toBe(two);
  });

  it("keeps its guests, their sources and its port when the connection is cut", async () => {
    const server = await relay();
    const cable = await Cable.to(portOf(server));
    cleanups.push(() => cable.close());
    const home = await node([cable.port]);
    const { publicEndpoint } = await home.connected();
    const guest = await guestOf(publicEndpoint.port);
    const port = await shakeHands(home, guest);
    cable.cut();
    await eventually("the loss", () => home.pool.state.state !== "connected");
    expect((await home.connected()).publicEndpoint).toEqual(publicEndpoint);
    // WireGuard speaks first: nothing of the guest's is needed to find the way again.
    home.wireguard.answer(port, wireguard.data(7, 1312, 1));
    await eventually("data to the guest", () => guest.received.find(({ length }) => length === 1312));
    guest.send(wireguard.data(1007, 64));
    const last = await eventually("data to WireGuard", () =>
      home.wireguard.received.find(({ payload }) => payload.length === 64),
    );
    expect(last.port).toBe(port);
  });

  it("comes back to a relay that was restarted, under the same port, and guests go on", async () => {
    const dataDir = folder();
    const first = await relay({ dataDir, udp: { host: "127.0.0.1", ...portRange(4) } });
    const port = portOf(first);
    const home = await node([port]);
    const { publicEndpoint } = await home.connected();
    const guest = await guestOf(publicEndpoint.port);
    await shakeHands(home, guest);
    await first.stop();
    await eventually("the loss", () => home.pool.state.state === "waiting");
    await relay({ dataDir, udp: { host: "127.0.0.1", ...portRange(4) }, listen: { host: "127.0.0.1", port } });
    expect((await home.connected()).publicEndpoint).toEqual(publicEndpoint);
    guest.send(wireguard.data(1007, 64));
    const { port: source } = await eventually("data", () =>
      home.wireguard.received.find(({ payload }) => payload.length === 64),
    );
    home.wireguard.answer(source, wireguard.data(7, 1312));
    await eventually("a full packet back", () => guest.received.find(({ length }) => length === 1312));
  });

  it("gives a restarted relay its guests' addresses back, so that a guest who only listens is reached at once", async () => {
    const dataDir = folder();
    const first = await relay({ dataDir, udp: { host: "127.0.0.1", ...portRange(4) } });
    const port = portOf(first);
    const home = await node([port]);
    const guest = await guestOf((await home.connected()).publicEndpoint.port);
    const source = await shakeHands(home, guest);
    // The proof is on disk within a second; a stop writes it at once.
    await first.stop();
    await eventually("the loss", () => home.pool.state.state === "waiting");
    await relay({ dataDir, udp: { host: "127.0.0.1", ...portRange(4) }, listen: { host: "127.0.0.1", port } });
    expect(await home.connected()).toMatchObject({ sessions: 1 });
    home.wireguard.answer(source, wireguard.data(7, 1312));
    await eventually("a full packet", () => guest.received.find(({ length }) => length === 1312));
  });

  it("forgets its sessions at a relay that has lost its memory", async () => {
    const first = await relay({ udp: { host: "127.0.0.1", ...portRange(4) } });
    const port = portOf(first);
    const home = await node([port]);
    const guest = await guestOf((await home.connected()).publicEndpoint.port);
    await shakeHands(home, guest);
    await first.stop();
    await eventually("the loss", () => home.pool.state.state === "waiting");
    await relay({ udp: { host: "127.0.0.1", ...portRange(4) }, listen: { host: "127.0.0.1", port } });
    await home.connected();
    await eventually("the session is closed", () =>
      home.pool.state.state === "connected" && home.pool.state.sessions === 0 ? true : undefined,
    );
  });

  it("takes the relay with the lowest round trip, and another when that one fails", async () => {
    const near = await relay();
    const far = await relay();
    const real = dialer();
    const probe: Dialer["probe"] = async (url, signal) => {
      const ms = await real.probe(url, signal);
      return ms === undefined ? undefined : url.port === portOf(near) ? 1 : 100;
    };
    const home = await node([portOf(far), portOf(near)], { dialer: { ...real, probe } });
    expect((await home.connected()).url).toBe(near.url);
    await near.stop();
    await home.connected(far.url);
  });

  it("moves to another relay when its own drains, without being thrown out", async () => {
    const [one, two] = [await relay({ drainMs: 600_000 }), await relay({ drainMs: 600_000 })];
    const home = await node([portOf(one), portOf(two)]);
    const { url } = await home.connected();
    const [leaving, staying] = url === one.url ? [one, two] : [two, one];
    // Ends only because the node goes by itself.
    await leaving.server.drain();
    await home.connected(staying.url);
  });

  it("says why nobody took it, and when it tries again", async () => {
    const server = await relay({ registration: { mode: "allow-list", nodes: [] } });
    const home = await node([portOf(server)], { random: () => 1, clock: { ...systemClock, nowMs: () => 0 } });
    const waiting = await eventually("the refusal", () =>
      home.pool.state.state === "waiting" ? home.pool.state : null,
    );
    expect(waiting.error).toMatchObject({
      code: "relay-refused",
      message: "The relay refused: this server does not take this node",
      hint: expect.stringContaining("allow-list"),
    });
    // A refusal is not asked for again every second.
    expect(Date.parse(waiting.retryAt)).toBe(8_000);
  });

  it("reaches a relay that was not there when it began", async () => {
    const cable = await Cable.to(1);
    cleanups.push(() => cable.close());
    const home = await node([cable.port]);
    await eventually("three attempts", () => cable.connections >= 3);
    expect(home.states.find((state) => state.state === "waiting")).toMatchObject({
      error: { code: "relay-unreachable" },
    });
  });

  it("leaves the relay when it is disposed of, and says nothing more", async () => {
    const server = await relay();
    const home = await node([portOf(server)]);
    await home.connected();
    home.pool.dispose();
    home.pool.dispose();
    const told = home.states.length;
    await eventually("the relay to notice", () => server.logs.some((line) => line.includes("node-disconnected")));
    expect(home.states).toHaveLength(told);
    expect(home.pool.state).toEqual({ state: "off" });
  });
});

describe("a node whose network changes", () => {
  /** A dialer that reaches nobody until it is told to. */
  function blockable(): Dialer & { blocked: boolean; dialled: number } {
    const real = dialer();
    const blocking = {
      blocked: true,
      dialled: 0,
      open: (...asked: Parameters<Dialer["open"]>) => {
        blocking.dialled++;
        return blocking.blocked ? fail("relay-untrusted", "Somebody is in the way.") : real.open(...asked);
      },
      probe: real.probe,
    };
    return blocking;
  }

  it("tries the relay again at once, however long it was to wait", async () => {
    const server = await relay();
    const clock = new FakeClock();
    const hands = blockable();
    const home = await node([portOf(server)], { clock, random: () => 1, dialer: hands });
    await clock.advance(0);
    expect(home.pool.state).toMatchObject({ state: "waiting", error: { code: "relay-untrusted" } });
    hands.blocked = false;
    home.pool.networkChanged();
    await clock.advance(0);
    expect(home.pool.state).toMatchObject({ state: "connecting", error: { code: "relay-untrusted" } });
    await home.connected();
  });

  it("does not try with every event of one change", async () => {
    const server = await relay();
    const clock = new FakeClock();
    const hands = blockable();
    const home = await node([portOf(server)], { clock, random: () => 1, dialer: hands });
    await clock.advance(0);
    for (let event = 0; event < 20; event++) {
      home.pool.networkChanged();
      await clock.advance(50);
    }
    expect(hands.dialled).toBeLessThanOrEqual(3);
    await clock.advance(1_000);
    expect(hands.dialled).toBeGreaterThan(2);
  });

  it("gives a connection up whose own address is gone, gets its sessions back over another, and keeps any other", async () => {
    const server = await relay();
    const addresses = new Set(["127.0.0.1"]);
    const home = await node([portOf(server)], { ownAddresses: () => addresses });
    const { publicEndpoint, since } = await home.connected();
    const guest = await guestOf(publicEndpoint.port);
    await shakeHands(home, guest);
    home.pool.networkChanged();
    expect(home.pool.state).toMatchObject({ state: "connected", since });
    addresses.clear();
    home.pool.networkChanged();
    expect(home.pool.state).toMatchObject({ state: "waiting", error: { code: "relay-address-gone" } });
    addresses.add("127.0.0.1");
    const again = await home.connected();
    expect(again.publicEndpoint).toEqual(publicEndpoint);
    const before = home.wireguard.received.length;
    guest.send(wireguard.data(1007, 32));
    await eventually("the guest's data", () => home.wireguard.received[before]);
  });
});

describe("a node that has several addresses", () => {
  const question = { publicKey: Buffer.alloc(32, 9).toString("base64"), port: 9 };

  it("is probed at the one that a further connection comes from, and stays registered", async () => {
    const server = await relay();
    const home = await node([portOf(server)]);
    const { since } = await home.connected();
    const result = await home.pool.probeFrom("127.0.0.2", question);
    expect(result).toMatchObject({ ok: true, value: { endpoint: { host: "127.0.0.2", port: 9 } } });
    expect(home.pool.state).toMatchObject({ state: "connected", since });
    expect(server.logs.filter((line) => line.includes('"node-registered"'))).toHaveLength(1);
  });

  it("is not probed from an address that is none of the machine's, or by a relay that does not do it", async () => {
    const server = await relay();
    const home = await node([portOf(server)]);
    await home.connected();
    expect(await home.pool.probeFrom("192.0.2.1", question)).toMatchObject({ error: { code: "relay-unreachable" } });
    const off = await relay({ probe: { enabled: false } });
    const other = await node([portOf(off)]);
    await other.connected();
    expect(await other.pool.probeFrom("127.0.0.2", question)).toMatchObject({ error: { code: "relay-cannot-probe" } });
    other.pool.dispose();
    expect(await other.pool.probeFrom("127.0.0.2", question)).toMatchObject({ error: { code: "relay-not-connected" } });
  });

  it("is not probed through a web proxy, whose address that would be", async () => {
    const server = await relay();
    const proxied = createDialer({ env: { HTTP_PROXY: "http://127.0.0.1:9" }, monotonicMs: systemClock.monotonicMs });
    const url = parseRelayUrl(`ws://relay.example:${portOf(server)}`) as RelayUrl;
    const allowed = createDialer({
      env: { HTTP_PROXY: "http://127.0.0.1:9" },
      allowPlain: true,
      monotonicMs: systemClock.monotonicMs,
    });
    expect(proxied.open(url, "node", "127.0.0.2")).toMatchObject({ error: { code: "relay-not-encrypted" } });
    expect(allowed.open(url, "node", "127.0.0.2")).toMatchObject({ error: { code: "behind-proxy" } });
  });
});
