import { randomBytes } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { unwrap } from "../src-shared/result.ts";
import { decodeBindingAnswer, encodeBindingRequest } from "../src-shared/stun/message.ts";
import { eventually } from "../src-shared/testing/eventually.ts";
import { FakeClock } from "../src-shared/testing/fake-clock.ts";
import { Counters } from "./counters.ts";
import { StunServer } from "./stun.ts";

const cleanups: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

async function serve(host = "127.0.0.1") {
  const clock = new FakeClock();
  const counters = new Counters();
  const server = unwrap(await StunServer.open({ host, port: 0, clock, counters }));
  cleanups.push(() => server.close());
  return { server, clock, counters, port: server.address.port };
}

async function client(port: number, address = "127.0.0.1"): Promise<{ socket: Socket; answers: Buffer[] }> {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  const answers: Buffer[] = [];
  socket.on("message", (message) => answers.push(message));
  socket.connect(port, address);
  await once(socket, "connect");
  cleanups.push(() => socket.close());
  return { socket, answers };
}

describe("the STUN server", () => {
  it.each(["127.0.0.1", "::1"])("tells a client at %s where it comes from", async (host) => {
    const { port } = await serve(host);
    const { socket, answers } = await client(port, host);
    const transaction = randomBytes(12);
    socket.send(encodeBindingRequest(transaction));
    const answer = await eventually("an answer", () => answers[0]);
    expect(decodeBindingAnswer(answer, transaction)).toEqual({ host, port: socket.address().port });
  });

  it("says nothing to what is no binding request", async () => {
    const { port, counters } = await serve();
    const { socket, answers } = await client(port);
    const answered = encodeBindingRequest(randomBytes(12));
    for (const message of [randomBytes(28), answered.subarray(0, 20), Buffer.alloc(0), randomBytes(1400)]) {
      socket.send(message);
    }
    socket.send(answered);
    await eventually("the last is answered", () => answers.length === 1);
    expect(counters.stunAnswers).toBe(1);
  });

  it("answers one source only so often, and again later, remembering nobody for long", async () => {
    const { port, counters, clock, server } = await serve();
    const { socket, answers } = await client(port);
    const request = encodeBindingRequest(randomBytes(12));
    for (let count = 0; count < 30; count++) socket.send(request);
    await eventually("all arrive", () => counters.stunAnswers + counters.stunLimited === 30);
    expect(counters.stunAnswers).toBe(20);
    await clock.advance(1_000);
    socket.send(request);
    await eventually("an answer again", () => answers.length === 21);
    server.close();
    expect(clock.pending).toBe(0);
  });

  it("says which port it could not have", async () => {
    const { port } = await serve();
    const again = await StunServer.open({ host: "127.0.0.1", port, clock: new FakeClock(), counters: new Counters() });
    expect(again).toMatchObject({ ok: false, error: { code: "stun-port-unusable" } });
  });
});
