import { Buffer } from "node:buffer";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { unwrap } from "../../src-shared/result.ts";
import type { HomeNetwork, MappingRequest } from "./mapping.ts";
import { systemIo } from "./mapping-io.ts";
import { NatPmpClient } from "./nat-pmp-client.ts";
import { PcpClient } from "./pcp-client.ts";

const NETWORK: HomeNetwork = { gateway: "127.0.0.1", address: "127.0.0.1", lanPrefix: null };
const REQUEST: MappingRequest = {
  transport: "udp",
  internalPort: 51820,
  externalPort: 51820,
  lifetimeSeconds: 3_600,
  description: "HiggsNode",
};

type Answer = (request: Buffer) => Buffer | readonly Buffer[] | undefined;

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
});

async function listen(answer: Answer): Promise<{ port: number; requests: Buffer[] }> {
  const socket = createSocket("udp4");
  sockets.push(socket);
  const requests: Buffer[] = [];
  socket.on("message", (request, from) => {
    requests.push(request);
    for (const datagram of [answer(request) ?? []].flat()) socket.send(datagram, from.port, from.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return { port: socket.address().port, requests };
}

function pcpGrant(request: Buffer, change: (answer: Buffer) => void = () => {}): Buffer {
  const answer = Buffer.from(request);
  answer[1] = 0x80 | (request[1] ?? 0);
  answer[3] = 0;
  answer.writeUInt32BE(1_000, 8);
  if (answer.length >= 60) answer.set([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 11, 22, 33, 2], 44);
  change(answer);
  return answer;
}

const never = () => new AbortController().signal;

describe("PcpClient", () => {
  const clientOn = (port: number) => new PcpClient({ io: systemIo(), network: NETWORK, port });

  it("maps, renews with the same nonce, and deletes with lifetime 0", async () => {
    const { port, requests } = await listen((request) => pcpGrant(request));
    const client = clientOn(port);
    const mapping = unwrap(await client.map(REQUEST, { signal: never() }));
    expect(mapping).toMatchObject({ externalAddress: "11.22.33.2", externalPort: 51820, lifetimeSeconds: 3_600 });
    unwrap(await client.map(REQUEST, { signal: never(), former: mapping }));
    unwrap(await client.unmap(mapping, never()));
    const nonces = requests.map((request) => request.subarray(24, 36).toString("hex"));
    expect(new Set(nonces)).toEqual(new Set([mapping.nonce]));
    expect(requests.map((request) => request.readUInt32BE(4))).toEqual([3_600, 3_600, 0]);
  });

  it("passes over answers with another nonce, to another port, and of no sense at all", async () => {
    const { port } = await listen((request) => [
      pcpGrant(request, (answer) => answer.fill(9, 24, 36)),
      pcpGrant(request, (answer) => answer.writeUInt16BE(1, 40)),
      Buffer.from("nonsense"),
      pcpGrant(request, (answer) => answer.writeUInt16BE(44_444, 42)),
    ]);
    expect(unwrap(await clientOn(port).map(REQUEST, { signal: never() })).externalPort).toBe(44_444);
  });

  it("asks again after a lost datagram", async () => {
    let lost = 1;
    const { port, requests } = await listen((request) => (lost-- > 0 ? undefined : pcpGrant(request)));
    unwrap(await clientOn(port).map(REQUEST, { signal: never() }));
    expect(requests).toHaveLength(2);
  });

  it.each([
    [2, "not-authorised"],
    [4, "router-unsupported"],
    [7, "router-network-down"],
    [10, "router-full"],
    [11, "port-conflict"],
    [12, "router-error"],
    [200, "router-error"],
  ])("result code %d is %s", async (resultCode, code) => {
    const refuse = (request: Buffer) => pcpGrant(request, (answer) => answer.writeUInt8(resultCode, 3));
    const { port } = await listen(refuse);
    expect(await clientOn(port).map(REQUEST, { signal: never() })).toMatchObject({ error: { code } });
  });

  it("tells a router without a public address from one that is full", async () => {
    const refuse = (address: readonly number[]) => (request: Buffer) =>
      pcpGrant(request, (answer) => {
        answer.writeUInt8(8, 3);
        answer.set(address, 56);
      });
    const inner = await listen(refuse([192, 168, 88, 2]));
    expect(await clientOn(inner.port).map(REQUEST, { signal: never() })).toMatchObject({
      error: { code: "no-public-address" },
    });
    const full = await listen(refuse([11, 22, 33, 2]));
    expect(await clientOn(full.port).map(REQUEST, { signal: never() })).toMatchObject({
      error: { code: "router-full" },
    });
  });

  it("does not believe a grant of port 0 or of no time", async () => {
    for (const [offset, what] of [
      [42, "port"],
      [6, "lifetime"],
    ] as const) {
      const { port } = await listen((request) => pcpGrant(request, (answer) => answer.writeUInt16BE(0, offset)));
      expect(await clientOn(port).map(REQUEST, { signal: never() }), what).toMatchObject({
        error: { code: "answer-malformed" },
      });
    }
  });

  it("knows at once that nobody listens", async () => {
    const { port } = await listen(() => undefined);
    const socket = sockets.pop();
    if (socket !== undefined) await new Promise<void>((resolve) => socket.close(() => resolve()));
    expect(await clientOn(port).probe(never())).toMatchObject({ error: { code: "router-refused" } });
  });

  it("does not hear anybody but the router", async () => {
    const { port, requests } = await listen(() => undefined);
    const controller = new AbortController();
    const stranger = createSocket("udp4");
    sockets.push(stranger);
    const server = sockets[0];
    const asked = new Promise<void>((resolve) => {
      server?.on("message", (request, from) => {
        stranger.send(pcpGrant(request), from.port, from.address, () => resolve());
      });
    });
    const mapped = clientOn(port).map(REQUEST, { signal: controller.signal });
    await asked;
    // Had the stranger's answer counted, there would be no second request.
    while (requests.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    controller.abort();
    expect(await mapped).toMatchObject({ error: { code: "aborted" } });
  });

  it("says that this machine has left the network", async () => {
    const gone = new PcpClient({ io: systemIo(), network: { ...NETWORK, address: "192.0.2.77" } });
    expect(await gone.probe(never())).toMatchObject({ error: { code: "own-address-gone" } });
  });
});

describe("NatPmpClient", () => {
  const clientOn = (port: number, onStateLost?: () => void) =>
    new NatPmpClient({ io: systemIo(), network: NETWORK, port, ...(onStateLost && { onStateLost }) });

  function grant(epochSeconds = 1_000): Answer {
    return (request) => {
      const isMap = request[1] !== 0;
      const answer = Buffer.alloc(isMap ? 16 : 12);
      answer[1] = 0x80 | (request[1] ?? 0);
      answer.writeUInt32BE(epochSeconds, 4);
      if (isMap) {
        answer.set(request.subarray(4, 8), 8);
        answer.set(request.subarray(8, 12), 12);
      } else answer.set([11, 22, 33, 2], 8);
      return answer;
    };
  }

  it("maps, with the address asked for beside it, and deletes", async () => {
    const { port, requests } = await listen(grant());
    const client = clientOn(port);
    const mapping = unwrap(await client.map(REQUEST, { signal: never() }));
    expect(mapping).toMatchObject({ externalAddress: "11.22.33.2", externalPort: 51820, lifetimeSeconds: 3_600 });
    unwrap(await client.unmap(mapping, never()));
    expect(requests.at(-1)?.toString("hex")).toBe("00010000ca6c000000000000");
  });

  it("notices by the epoch that the router has begun anew", async () => {
    let epochSeconds = 1_000;
    let lost = 0;
    const { port } = await listen((request) => grant(epochSeconds)(request));
    const client = clientOn(port, () => lost++);
    const mapping = unwrap(await client.map(REQUEST, { signal: never() }));
    unwrap(await client.verify(mapping, never()));
    epochSeconds = 3;
    expect(await client.verify(mapping, never())).toMatchObject({ error: { code: "mapping-lost" } });
    expect(lost).toBe(0);
    epochSeconds = 0;
    unwrap(await client.map(REQUEST, { signal: never() }));
    expect(lost).toBe(1);
  });

  it.each([
    [2, "not-authorised"],
    [3, "no-public-address"],
    [4, "router-full"],
    [5, "router-unsupported"],
    [9, "router-error"],
  ])("result code %d is %s", async (resultCode, code) => {
    const { port } = await listen((request) => Buffer.from([0, 0x80 | (request[1] ?? 0), 0, resultCode, 0, 0, 0, 9]));
    expect(await clientOn(port).probe(never())).toMatchObject({ error: { code } });
    expect(await clientOn(port).map(REQUEST, { signal: never() })).toMatchObject({ error: { code } });
  });
});

describe("announcements on a machine that has left the network", () => {
  it("are told to be out of hearing, and end nothing", async () => {
    const joined = await systemIo().datagrams.join(
      { group: "224.0.0.1", port: 0, localAddress: "192.0.2.77" },
      { onMessage: () => {}, onError: () => {} },
      never(),
    );
    expect(joined.ok).toBe(false);
  });
});
