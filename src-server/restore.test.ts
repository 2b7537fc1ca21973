import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SealedSession } from "../src-shared/relay/control.ts";
import { eventually } from "../src-shared/testing/eventually.ts";
import { createIdentity, type Identity, TestNode, TestUdpGuest, wireguard } from "./testing/test-node.ts";
import { portRange, startTestServer, type TestServer } from "./testing/test-server.ts";

const cleanups: (() => unknown)[] = [];
let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "boson-restore-"));
  cleanups.push(() => rmSync(dataDir, { recursive: true, force: true }));
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function server(overrides: Record<string, unknown> = {}): Promise<TestServer> {
  const started = await startTestServer({ dataDir, udp: { host: "127.0.0.1", ...portRange(3) }, ...overrides });
  cleanups.push(() => started.stop());
  return started;
}

async function register({ url }: TestServer, identity: Identity): Promise<{ node: TestNode; port: number }> {
  const node = new TestNode(url, identity);
  cleanups.push(() => node.vanish());
  return { node, port: (await node.register()).udp.port };
}

/** A guest whose address is proven; its session. */
async function provenGuest(node: TestNode, port: number, index: number): Promise<[TestUdpGuest, number]> {
  const guest = await TestUdpGuest.open(port);
  cleanups.push(() => guest.close());
  const before = node.datagrams.length;
  guest.send(wireguard.initiation(index));
  const { session } = await eventually("the initiation", () => node.datagrams[before]);
  node.sendDatagram(session, wireguard.response(1000 + index, index));
  await eventually("the response", () => guest.received[0]);
  guest.send(wireguard.data(1000 + index, 32));
  await eventually("the first data", () => node.datagrams[before + 1]);
  return [guest, session];
}

function restore(node: TestNode, sessions: SealedSession[]): void {
  node.send({ type: "restore", sessions });
}

/** Waits until the node has been told that the session is not there. */
async function isClosed(node: TestNode, session: number): Promise<string> {
  return eventually(
    "the session is closed",
    () =>
      node.control.flatMap((message) =>
        "session" in message && message.type === "session-close" && message.session === session ? [message.reason] : [],
      )[0],
  );
}

/** Full packets that reach a guest without a word of its own. */
async function reaches(node: TestNode, session: number, guest: TestUdpGuest): Promise<void> {
  const before = guest.received.length;
  for (let tag = 0; tag < 20; tag++) node.sendDatagram(session, wireguard.data(7, 1312, tag));
  await eventually("the packets", () => guest.received.length === before + 20);
}

describe("a server that was restarted", () => {
  it("reaches guests who say nothing, in the sessions they had", async () => {
    const identity = createIdentity();
    const first = await server();
    const { node, port } = await register(first, identity);
    const guests = [await provenGuest(node, port, 1), await provenGuest(node, port, 2)];
    const sessions: SealedSession[] = [];
    for (const [, session] of guests) sessions.push({ session, seal: await node.sealOf(session) });
    await first.stop();
    const { node: again } = await register(await server(), identity);
    restore(again, sessions);
    for (const [guest, session] of guests) await reaches(again, session, guest);
    // What a guest says afterwards is of the same session, and brings a fresh seal.
    const [[guest, session] = [undefined, -1]] = guests;
    guest?.send(wireguard.data(1001, 32));
    expect((await eventually("the guest's data", () => again.datagrams[0])).session).toBe(session);
    expect(await again.sealOf(session)).not.toBe(sessions[0]?.seal);
    expect(again.sessionsOpened()).toEqual([]);
  });

  it("closes what was sealed for another node or another id, forged, or is no seal", async () => {
    const [identity, thief] = [createIdentity(), createIdentity()];
    const first = await server();
    const { node, port } = await register(first, identity);
    const [guest, session] = await provenGuest(node, port, 1);
    const seal = await node.sealOf(session);
    await first.stop();
    const second = await server();
    const { node: stranger } = await register(second, thief);
    restore(stranger, [{ session, seal }]);
    expect(await isClosed(stranger, session)).toBe("not-restored");
    const { node: again } = await register(second, identity);
    const other = session ^ 1;
    restore(again, [{ session: other, seal }]);
    expect(await isClosed(again, other)).toBe("not-restored");
    const forged = `${seal.slice(0, 40)}${seal[40] === "A" ? "B" : "A"}${seal.slice(41)}`;
    const wrong = [forged, "A", "A".repeat(120)].map((text, index) => ({ session: session ^ (index + 2), seal: text }));
    restore(again, wrong);
    for (const { session: id } of wrong) expect(await isClosed(again, id)).toBe("not-restored");
    expect(second.server.sessionCount).toBe(0);
    const before = guest.received.length;
    restore(again, [{ session, seal }]);
    await reaches(again, session, guest);
    expect(guest.received).toHaveLength(before + 20);
  });

  it("believes no seal whose address its store does not know as proven", async () => {
    const identity = createIdentity();
    const first = await server();
    const { node, port } = await register(first, identity);
    const [guest, session] = await provenGuest(node, port, 1);
    const seal = await node.sealOf(session);
    await first.stop();
    const { DatabaseSync } = await import("node:sqlite");
    const database = new DatabaseSync(join(dataDir, "bosonserver.db"));
    expect(database.prepare("DELETE FROM proofs").run().changes).toBe(1);
    database.close();
    const { node: again } = await register(await server(), identity);
    restore(again, [{ session, seal }]);
    expect(await isClosed(again, session)).toBe("not-restored");
    again.sendDatagram(session, wireguard.data(7, 1312));
    guest.send(wireguard.data(1001, 32));
    await eventually("the guest is heard", () => again.datagrams[0]);
    expect(guest.received).toHaveLength(1);
  });

  it("leaves a session alone that has begun meanwhile, and opens one address once only", async () => {
    const identity = createIdentity();
    const first = await server();
    const { node, port } = await register(first, identity);
    const [guest, session] = await provenGuest(node, port, 1);
    const seal = await node.sealOf(session);
    await first.stop();
    const second = await server();
    const { node: again } = await register(second, identity);
    guest.send(wireguard.data(1001, 32));
    const { session: fresh } = await eventually("data in a new session", () => again.datagrams[0]);
    expect(fresh).not.toBe(session);
    restore(again, [{ session, seal }]);
    expect(await isClosed(again, session)).toBe("not-restored");
    restore(again, [{ session: fresh, seal: await again.sealOf(fresh) }]);
    await reaches(again, fresh, guest);
    expect(second.server.sessionCount).toBe(1);
  });

  it("looks at no more seals than a node may have sessions", async () => {
    const identity = createIdentity();
    const first = await server({ limits: { sessionsPerNode: 4 } });
    const { node, port } = await register(first, identity);
    const [guest, session] = await provenGuest(node, port, 1);
    const seal = await node.sealOf(session);
    await first.stop();
    const { node: again } = await register(await server({ limits: { sessionsPerNode: 4 } }), identity);
    const ids = Array.from({ length: 5 }, (_, index) => session ^ (index + 1));
    restore(
      again,
      ids.map((id) => ({ session: id, seal: "A" })),
    );
    for (const [index, id] of ids.entries()) {
      expect(await isClosed(again, id)).toBe(index < 4 ? "not-restored" : "too-many");
    }
    restore(again, [{ session, seal }]);
    expect(await isClosed(again, session)).toBe("too-many");
    expect(guest.received).toHaveLength(1);
    expect(again.isOpen).toBe(true);
  });

  it("restores nothing for a node that has not said who it is", async () => {
    const node = new TestNode((await server()).url);
    cleanups.push(() => node.vanish());
    await node.opened();
    restore(node, []);
    expect(await node.refused()).toBe(1002);
  });
});
