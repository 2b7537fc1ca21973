import { afterEach, expect, it } from "vitest";
import { eventually } from "../src-shared/testing/eventually.ts";
import { TestNode, TestUdpGuest, wireguard } from "./testing/test-node.ts";
import { portRange, startTestServer } from "./testing/test-server.ts";

/** As many as the range of ports has. */
const NODES = 20;
const PACKETS_EACH = 50;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A node with a guest that sends it numbered packets, and gets each of them back. */
async function pair(url: string, index: number) {
  const node = new TestNode(url);
  cleanups.push(() => node.vanish());
  const { udp } = await node.register();
  const guest = await TestUdpGuest.open(udp.port);
  cleanups.push(() => guest.close());
  const arrived: number[] = [];
  node.onDatagram = (session, payload) => {
    if (payload[0] === 1) node.sendDatagram(session, wireguard.response(1000 + index, index));
    else {
      arrived.push(payload.readUInt32LE(8));
      node.sendDatagram(session, wireguard.data(index, payload.length, payload.readUInt32LE(8)));
    }
  };
  guest.send(wireguard.initiation(index));
  await eventually("the response", () => guest.received[0]);
  return { guest, arrived, index };
}

it("a server with many nodes loses none of their packets, mixes none up, and keeps their order", async () => {
  const started = await startTestServer({ udp: { host: "127.0.0.1", ...portRange(2) } });
  cleanups.push(() => started.stop());
  const pairs = await Promise.all(Array.from({ length: NODES }, (_, index) => pair(started.url, index)));
  for (let tag = 0; tag < PACKETS_EACH; tag++) {
    for (const { guest, index } of pairs) guest.send(wireguard.data(1000 + index, 128, tag));
  }
  const tags = Array.from({ length: PACKETS_EACH }, (_, tag) => tag);
  for (const { guest, arrived, index } of pairs) {
    await eventually("all packets and their answers", () => guest.received.length === 1 + PACKETS_EACH);
    expect(arrived).toEqual(tags);
    const answers = guest.received.slice(1);
    expect(answers.map((payload) => payload.readUInt32LE(8))).toEqual(tags);
    expect(new Set(answers.map((payload) => payload.readUInt32LE(4)))).toEqual(new Set([index]));
  }
  const { dropped, toNodesDatagrams, toGuestsDatagrams } = started.server.counters;
  expect(Object.values(dropped).every((count) => count === 0)).toBe(true);
  expect(toNodesDatagrams).toBe(NODES * (PACKETS_EACH + 1));
  expect(toGuestsDatagrams).toBe(NODES * (PACKETS_EACH + 1));
});
