import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseAddress } from "../../src-shared/net/address.ts";
import { decodeBindingRequest, encodeBindingAnswer } from "../../src-shared/stun/message.ts";
import { systemIo } from "../port-forwarding/mapping-io.ts";
import { askStun } from "./stun-client.ts";

const SEEN = parseAddress("11.22.33.44") ?? expect.fail("no address");
const LOCAL = "127.0.0.1";
let server: Socket;

beforeEach(async () => {
  server = createSocket("udp4").bind(0, LOCAL);
  await once(server, "listening");
});
afterEach(() => {
  server.close();
});

function ask(signal = new AbortController().signal) {
  const stun = { host: "stun.example", port: server.address().port };
  return askStun(systemIo(), { localAddress: LOCAL, server: stun, signal }, async () => LOCAL);
}

describe("the STUN client", () => {
  it("learns what the server sees, and asks again where the first datagram is lost", async () => {
    let heard = 0;
    server.on("message", (message, { address, port }) => {
      const request = decodeBindingRequest(message) ?? expect.fail("no request");
      if (++heard === 1) return;
      const foreign = { ...request, transaction: new Uint8Array(12) };
      server.send(encodeBindingAnswer(foreign, { address: SEEN, port: 1 }), port, address);
      server.send("nonsense", port, address);
      server.send(encodeBindingAnswer(request, { address: SEEN, port: 4711 }), port, address);
    });
    expect(await ask()).toEqual({ ok: true, value: { host: "11.22.33.44", port: 4711 } });
  });

  it("ends with its signal", async () => {
    const controller = new AbortController();
    server.on("message", () => controller.abort());
    expect(await ask(controller.signal)).toMatchObject({ ok: false, error: { code: "stun-silent" } });
  });

  it("says so where the server has no address", async () => {
    const question = { localAddress: LOCAL, server: { host: "x", port: 1 }, signal: new AbortController().signal };
    const answer = await askStun(systemIo(), question, async () => undefined);
    expect(answer).toMatchObject({ error: { code: "stun-no-address" } });
  });
});
