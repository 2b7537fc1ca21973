import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../../src-shared/testing/eventually.ts";
import {
  createIdentity,
  type TestLink,
  TestNode,
  TestUdpGuest,
  TestWebSocketGuest,
  wireguard,
} from "../testing/test-node.ts";
import { startTestServer, type TestServer } from "../testing/test-server.ts";

const hasNats = spawnSync("nats-server", ["--version"]).status === 0;
const port = 24_000 + (process.pid % 1000);
const cleanups: (() => unknown)[] = [];
let nats: ChildProcess;
let storeDir: string;
let prefixes = 0;

function startNats(): ChildProcess {
  return spawn("nats-server", ["-a", "127.0.0.1", "-p", String(port), "-js", "-sd", storeDir], { stdio: "ignore" });
}

async function reachable(): Promise<void> {
  let open = false;
  await eventually("nats-server listens", () => {
    const probe = connect(port, "127.0.0.1", () => {
      open = true;
      probe.destroy();
    });
    probe.on("error", () => undefined);
    return open;
  });
}

/** The build machines have it; elsewhere it may be missing, in which case the tests say so. */
describe.skipIf(!hasNats && process.env.CI === undefined)("a cluster over NATS (needs the nats-server program)", () => {
  beforeAll(async () => {
    storeDir = mkdtempSync(join(tmpdir(), "boson-nats-"));
    nats = startNats();
    await reachable();
  });
  afterAll(async () => {
    nats.kill("SIGKILL");
    await once(nats, "exit");
    rmSync(storeDir, { recursive: true, force: true });
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  /** Two instances as two hosts have them: the same ports, on addresses of their own. */
  async function pair(): Promise<[TestServer, TestServer]> {
    const prefix = `t${prefixes++}`;
    const start = async (host: string) => {
      const ports = { portMin: 23_000 + (process.pid % 40) * 20, portMax: 23_019 + (process.pid % 40) * 20 };
      const started = await startTestServer({
        udp: { host, ...ports },
        nats: { url: `nats://127.0.0.1:${port}`, prefix },
      });
      cleanups.push(() => started.stop());
      return started;
    };
    return [await start("127.0.0.1"), await start("127.0.0.2")];
  }

  function closing<T extends Pick<TestLink<never>, "vanish">>(link: T): T {
    cleanups.push(() => link.vanish());
    return link;
  }

  async function guestOf(to: string, udpPort: number): Promise<TestUdpGuest> {
    const guest = await TestUdpGuest.open(udpPort, undefined, to);
    cleanups.push(() => guest.close());
    return guest;
  }

  /** Sends until it arrives: an instance opens a node's port only when it has heard of the node. */
  async function reach(guest: TestUdpGuest, node: TestNode, payload: Buffer): Promise<number> {
    const before = node.datagrams.length;
    const found = await eventually("the node is reached", () => {
      guest.send(payload);
      return node.datagrams.slice(before).find((datagram) => datagram.payload.equals(payload));
    });
    return found.session;
  }

  it("carries a guest that hits one instance to a node on the other, and back", async () => {
    const [a, b] = await pair();
    const node = closing(new TestNode(a.url));
    const { udp } = await node.register();
    const guest = await guestOf("127.0.0.2", udp.port);
    const session = await reach(guest, node, wireguard.initiation(5));
    node.sendDatagram(session, wireguard.response(50, 5));
    await eventually("the response", () => guest.received.find((payload) => payload.equals(wireguard.response(50, 5))));
    expect(b.server.sessionCount).toBe(1);
    expect(a.server.sessionCount).toBe(0);
  });

  it("carries a guest over WebSocket across instances", async () => {
    const [a, b] = await pair();
    const node = closing(new TestNode(a.url));
    const { udp } = await node.register();
    let guest = closing(new TestWebSocketGuest(b.url));
    let connected = await guest.connect({ port: udp.port });
    // The other instance may not have heard of the node yet.
    if (connected.type !== "connected") {
      await reach(await guestOf("127.0.0.2", udp.port), node, wireguard.initiation(1));
      guest = closing(new TestWebSocketGuest(b.url));
      connected = await guest.connect({ port: udp.port });
    }
    if (connected.type !== "connected") throw new Error(connected.type);
    guest.sendDatagram(connected.session, wireguard.initiation(6));
    const { session } = await eventually("the initiation", () =>
      node.datagrams.find(({ payload }) => payload.equals(wireguard.initiation(6))),
    );
    node.sendDatagram(session, wireguard.response(60, 6));
    await eventually("the response", () => guest.datagrams[0]);
  });

  it("lets a guest go on when the instance of its node dies and the node comes to the other", async () => {
    const [a, b] = await pair();
    const identity = createIdentity();
    const node = closing(new TestNode(a.url, identity));
    const { udp } = await node.register();
    const guest = await guestOf("127.0.0.2", udp.port);
    const session = await reach(guest, node, wireguard.initiation(7));
    node.sendDatagram(session, wireguard.response(70, 7));
    await eventually("the response", () => guest.received[0]);
    guest.send(wireguard.data(70, 32));
    await eventually("the proof", () => node.datagrams.find(({ payload }) => payload[0] === 4));
    await a.stop();
    expect(node.closed ?? (await node.refused())).toBeDefined();
    const again = closing(new TestNode(b.url, identity));
    expect((await again.register()).udp.port).toBe(udp.port);
    const next = await reach(guest, again, wireguard.data(70, 64));
    again.sendDatagram(next, wireguard.data(7, 1312));
    await eventually("a full packet back", () => guest.received.find(({ length }) => length === 1312));
  });

  it("lets go of a node that another instance has taken over", async () => {
    const [a, b] = await pair();
    const identity = createIdentity();
    const stale = closing(new TestNode(a.url, identity));
    await stale.register();
    await closing(new TestNode(b.url, identity)).register();
    expect(await stale.refused()).toBe(4001);
  });

  it("gives different nodes different ports, whichever instance they come to at the same moment", async () => {
    const [a, b] = await pair();
    const nodes = Array.from({ length: 12 }, (_, index) => closing(new TestNode(index % 2 === 0 ? a.url : b.url)));
    const ports = (await Promise.all(nodes.map((node) => node.register()))).map(({ udp }) => udp.port);
    expect(new Set(ports).size).toBe(12);
  });

  it("goes on with its own nodes while NATS is away, says that it is not well, and recovers", async () => {
    const [a] = await pair();
    const node = closing(new TestNode(a.url));
    const { udp } = await node.register();
    nats.kill("SIGKILL");
    await once(nats, "exit");
    let status = 0;
    const watch = (expected: number) =>
      eventually(`health ${expected}`, () => {
        fetch(`${a.admin}/healthz`).then(
          (response) => {
            status = response.status;
          },
          () => undefined,
        );
        return status === expected;
      });
    await watch(503);
    await reach(await guestOf("127.0.0.1", udp.port), node, wireguard.initiation(8));
    nats = startNats();
    await reachable();
    await watch(200);
  });

  it("does not start without its NATS server", async () => {
    await expect(startTestServer({ nats: { url: "nats://127.0.0.1:1" } })).rejects.toThrow(
      "cannot use the NATS server",
    );
  });
});
