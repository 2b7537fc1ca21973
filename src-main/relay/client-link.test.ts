import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { type ServerToGuest, serverToGuestSchema } from "../../src-shared/relay/control.ts";
import { QueueBudget } from "../../src-shared/relay/drop-oldest-queue.ts";
import { SlabPool } from "../../src-shared/relay/slab-pool.ts";
import type { HiggsError } from "../../src-shared/result.ts";
import { eventually } from "../../src-shared/testing/eventually.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { ClientLink } from "./client-link.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function link() {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  const clock = new FakeClock();
  const control: ServerToGuest[] = [];
  const ends: (HiggsError & { closeCode: number | undefined })[] = [];
  const socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, { autoPong: false });
  const made = new ClientLink(
    socket,
    serverToGuestSchema,
    { clock, pool: new SlabPool(), budget: new QueueBudget() },
    {
      onOpen: () => undefined,
      onControl: (message) => control.push(message),
      onDatagrams: () => undefined,
      onClosed: (error, closeCode) => ends.push({ ...error, closeCode }),
    },
  );
  const [peer] = (await once(server, "connection")) as [WebSocket];
  await once(socket, "open");
  const heard: { type: string; id: number }[] = [];
  peer.on("message", (data: Buffer) => heard.push(JSON.parse(data.toString()) as { type: string; id: number }));
  cleanups.push(() => {
    peer.terminate();
    server.close();
  });
  return { made, clock, control, ends, peer, heard };
}

describe("a link to a relay", () => {
  it("is given up when the handshake does not end in time", async () => {
    const { clock, ends } = await link();
    await clock.advance(5_999);
    expect(ends).toEqual([]);
    await clock.advance(1);
    expect(ends).toMatchObject([{ code: "relay-timeout" }]);
    expect(clock.pending).toBe(0);
  });

  it("asks every 5 s at least, measures the round trip, and is given up after three questions without any answer", async () => {
    const { made, clock, ends, peer, heard } = await link();
    made.startHeartbeat(60_000);
    const { id } = await eventually("a ping", () => heard[0]);
    await clock.advance(30);
    peer.send(JSON.stringify({ type: "pong", id }));
    expect(await eventually("a measurement", () => made.rttMs)).toBe(30);
    for (let asked = 2; asked <= 4; asked++) {
      await clock.advance(5_000);
      await eventually("the next ping", () => heard.length === asked);
    }
    expect(ends).toEqual([]);
    await clock.advance(5_000);
    expect(ends).toMatchObject([{ code: "relay-silent" }]);
  });

  it("answers the relay's pings, also those of the WebSocket itself", async () => {
    const { peer, heard } = await link();
    let pongs = 0;
    peer.on("pong", () => pongs++);
    peer.ping();
    peer.send(JSON.stringify({ type: "ping", id: 7 }));
    await eventually("both answers", () => pongs === 1 && heard.some(({ type, id }) => type === "pong" && id === 7));
  });

  it("ends when it is flooded with pings", async () => {
    const { peer, ends } = await link();
    for (let count = 0; count < 2_500; count++) peer.ping();
    await eventually("the end", () => ends.length > 0);
    expect(ends).toMatchObject([{ code: "relay-protocol-error" }]);
  });

  it("leaves no timer behind when it is closed and the relay says goodbye", async () => {
    const { made, clock, ends, peer } = await link();
    made.startHeartbeat(1_000);
    made.close();
    made.close();
    expect(ends).toMatchObject([{ code: "relay-left" }]);
    await once(peer, "close");
    await eventually("no timer", () => clock.pending === 0);
  });

  it("cuts off a relay that does not say goodbye", async () => {
    const { made, clock, peer } = await link();
    peer.pause();
    made.close();
    await clock.advance(1_000);
    expect(clock.pending).toBe(0);
    peer.resume();
    await once(peer, "close");
  });
});
