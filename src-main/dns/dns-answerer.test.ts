import { createSocket } from "node:dgram";
import { connect, type Socket } from "node:net";
import { decode, encode, type Packet, TRUNCATED_RESPONSE } from "dns-packet";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Clock, systemClock } from "../../src-shared/clock.ts";
import { unwrap } from "../../src-shared/result.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { ATTEMPT_TIMEOUT_MS } from "./ask-resolver.ts";
import { DnsAnswerer, type DnsAnswererOptions } from "./dns-answerer.ts";
import { frameForTcp } from "./message.ts";
import { TCP_IDLE_MS } from "./tcp-guest.ts";
import { answerTo, FakeResolver } from "./testing/fake-resolver.ts";
import { askTcp, askUdp } from "./testing/guest.ts";

let first: FakeResolver;
let second: FakeResolver;
let answerer: DnsAnswerer;
let port: number;
let closing: { close(): unknown }[];

beforeEach(async () => {
  first = await FakeResolver.start();
  second = await FakeResolver.start();
  closing = [first, second];
});

afterEach(async () => {
  await answerer.dispose();
  for (const one of closing) await one.close();
});

interface StartOptions extends Pick<DnsAnswererOptions, "onQuestion" | "onUnexpected"> {
  clock?: Clock;
  resolvers?: FakeResolver[];
  addresses?: string[];
}

async function start(options: StartOptions = {}) {
  const { clock = systemClock, resolvers = [first], addresses = ["127.0.0.1/8"], ...told } = options;
  answerer = new DnsAnswerer({ clock, resolvers: { current: () => resolvers }, ...told });
  for (;;) {
    port = 20_000 + Math.floor(Math.random() * 10_000);
    const result = await answerer.start(addresses, port);
    if (result.ok) return;
    if (result.error.code !== "dns-port-taken") unwrap(result);
  }
}

/** Far longer than it takes, for a machine that is busy with other tests. */
function eventually(assertion: () => void): Promise<void> {
  return vi.waitFor(assertion, 10_000);
}

function query(name = "example.org", more: Partial<Packet> = {}): Buffer {
  return encode({ type: "query", id: 4321, flags: 0x0100, questions: [{ type: "A", name }], ...more });
}

function withEdns(udpPayloadSize: number): Partial<Packet> {
  const opt = { type: "OPT" as const, name: ".", udpPayloadSize, extendedRcode: 0, ednsVersion: 0, flags: 0x8000 };
  return { additionals: [{ ...opt, flag_do: true, options: [] }] };
}

function rcode(answer: Buffer): number {
  return answer.readUInt16BE(2) & 15;
}

describe("DnsAnswerer", () => {
  it("answers over UDP and TCP what the host's resolver says, under the guest's id", async () => {
    await start();
    for (const answer of [await askUdp(port, query()), ...(await askTcp(port, [frameForTcp(query())]))]) {
      expect(decode(answer)).toMatchObject({ id: 4321, answers: [{ name: "example.org", data: "192.0.2.1" }] });
    }
  });

  it("answers over IPv6, with a resolver on IPv6", async () => {
    const resolver = await FakeResolver.start("::1");
    closing.push(resolver);
    await start({ resolvers: [resolver], addresses: ["127.0.0.1/8", "::1/128"] });
    expect(decode(await askUdp(port, query(), "::1")).answers).toHaveLength(1);
  });

  it("asks each question from a new port under a new id, and passes on nothing but the question", async () => {
    await start();
    const subnet = { code: 8 as const, ip: "10.66.0.2", family: 1, sourcePrefixLength: 32 };
    const opt = { type: "OPT" as const, name: ".", udpPayloadSize: 4096, extendedRcode: 0, ednsVersion: 0, flags: 0 };
    for (let n = 0; n < 20; n++) {
      await askUdp(port, query(`n${n}.example`, { additionals: [{ ...opt, flag_do: false, options: [subnet] }] }));
    }
    expect(new Set(first.seen.map((seen) => seen.sourcePort)).size).toBeGreaterThan(10);
    expect(new Set(first.seen.map((seen) => seen.packet.id)).size).toBeGreaterThan(10);
    for (const { packet } of first.seen) {
      expect(packet.additionals).toMatchObject([{ type: "OPT", udpPayloadSize: 1232, options: [] }]);
    }
  });

  it("does not believe an answer with another id or another question, and waits for the right one", async () => {
    first.behaviour = ({ packet }) => [
      answerTo({ ...packet, id: ((packet.id ?? 0) + 1) & 0xffff }, "198.51.100.66"),
      answerTo({ ...packet, questions: [{ type: "A", name: "evil.example" }] }, "198.51.100.66"),
      answerTo({ ...packet, questions: [{ type: "AAAA", name: "example.org" }] }, "198.51.100.66"),
      Buffer.from("short"),
      answerTo({ ...packet, questions: [{ type: "A", name: "EXAMPLE.org" }] }, "192.0.2.7"),
    ];
    await start();
    expect(decode(await askUdp(port, query())).answers).toMatchObject([{ data: "192.0.2.7" }]);
  });

  it("turns to the next resolver when one is silent, and stays with it for a while", async () => {
    const clock = new FakeClock();
    first.behaviour = () => undefined;
    await start({ clock, resolvers: [first, second] });
    const answer = askUdp(port, query("one.example"));
    await eventually(() => expect(first.seen).toHaveLength(1));
    await clock.advance(ATTEMPT_TIMEOUT_MS);
    expect(decode(await answer).answers).toHaveLength(1);
    await askUdp(port, query("two.example"));
    expect(first.seen).toHaveLength(1);
    first.behaviour = ({ packet }) => answerTo(packet, "192.0.2.9");
    await clock.advance(60_000);
    expect(decode(await askUdp(port, query("three.example"))).answers).toMatchObject([{ data: "192.0.2.9" }]);
    expect(clock.pending).toBe(0);
  });

  it("turns to the next resolver at once when one refuses or is not there", async () => {
    first.behaviour = ({ packet }) => {
      const answer = answerTo(packet, "192.0.2.1", 0);
      answer.writeUInt16BE(answer.readUInt16BE(2) | 5, 2);
      return answer;
    };
    const gone = await FakeResolver.start();
    await gone.close();
    await start({ clock: new FakeClock(), resolvers: [gone, first, second] });
    expect(decode(await askUdp(port, query())).answers).toHaveLength(1);
  });

  it("says SERVFAIL when no resolver answers, and when there is none", async () => {
    await start({ clock: new FakeClock(), resolvers: [] });
    const answer = await askUdp(port, query("example.org", withEdns(4096)));
    expect(rcode(answer)).toBe(2);
    expect(decode(answer)).toMatchObject({ id: 4321, questions: [{ name: "example.org" }] });
  });

  it("does not ask itself, whatever the host's resolvers are said to be", async () => {
    await start({ clock: new FakeClock() });
    const itself = [
      { address: "127.0.0.1", port },
      { address: "127.0.0.1", port: 53 },
    ];
    const looping = new DnsAnswerer({ clock: new FakeClock(), resolvers: { current: () => itself } });
    await answerer.dispose();
    unwrap(await looping.start(["127.0.0.1/8"], port));
    expect(rcode(await askUdp(port, query()))).toBe(2);
    await looping.dispose();
  });

  it("passes a truncated answer to UDP guests and gives TCP guests the whole", async () => {
    first.behaviour = ({ packet, transport }) =>
      transport === "udp" ? answerTo(packet, "192.0.2.1", 0, TRUNCATED_RESPONSE) : answerTo(packet, "192.0.2.1", 500);
    await start();
    expect((await askUdp(port, query())).readUInt16BE(2) & TRUNCATED_RESPONSE).toBe(TRUNCATED_RESPONSE);
    const [whole] = await askTcp(port, [frameForTcp(query())]);
    expect(decode(whole ?? Buffer.alloc(0)).answers).toHaveLength(500);
  });

  it("cuts an answer that is longer than the guest can take over UDP", async () => {
    first.behaviour = ({ packet }) => answerTo(packet, "192.0.2.1", 40);
    await start();
    const plain = await askUdp(port, query());
    expect(plain.length).toBeLessThanOrEqual(512);
    expect(plain.readUInt16BE(2) & TRUNCATED_RESPONSE).toBe(TRUNCATED_RESPONSE);
    expect(decode(await askUdp(port, query("example.org", withEdns(4096)))).answers).toHaveLength(40);
  });

  it("answers types it does not know of, with the question untouched", async () => {
    await start();
    const https = query("Example.ORG");
    https.writeUInt16BE(65, https.length - 4);
    const answer = await askUdp(port, https);
    expect(answer.subarray(12, https.length).equals(https.subarray(12))).toBe(true);
    expect(decode(answer).answers).toHaveLength(1);
  });

  it("does not ask the home's resolver for the home's names", async () => {
    await start();
    for (const name of [
      "nas.local",
      "5.1.168.192.in-addr.arpa",
      "1.0.66.10.IN-ADDR.arpa",
      "x.home.arpa",
      "localhost",
    ]) {
      expect(rcode(await askUdp(port, query(name)))).toBe(3);
    }
    expect(first.seen).toEqual([]);
    expect(rcode(await askUdp(port, query("1.1.1.1.in-addr.arpa")))).toBe(0);
    expect(rcode(await askUdp(port, query("notlocal")))).toBe(0);
  });

  it("answers nobody outside the guest prefixes", async () => {
    await start({ addresses: ["127.0.0.1/32"] });
    const outsider = createSocket("udp4");
    closing.push(outsider);
    let answers = 0;
    outsider.on("message", () => answers++);
    await new Promise<void>((resolve) => outsider.bind(0, "127.0.0.2", resolve));
    await new Promise<void>((resolve) => outsider.send(query("outsider.example"), port, "127.0.0.1", () => resolve()));
    expect(await askTcp(port, [frameForTcp(query("outsider.example"))], 1, "127.0.0.3")).toEqual([]);
    await askUdp(port, query("insider.example"));
    expect(first.seen.map((seen) => seen.packet.questions?.[0]?.name)).toEqual(["insider.example"]);
    expect(answers).toBe(0);
  });

  it("refuses what is no query, and survives anything", async () => {
    await start();
    const twoQuestions = query();
    twoQuestions.writeUInt16BE(2, 4);
    expect(rcode(await askUdp(port, twoQuestions))).toBe(1);
    const update = query();
    update.writeUInt16BE(0x2800, 2);
    expect(rcode(await askUdp(port, update))).toBe(4);
    const pointer = Buffer.concat([query().subarray(0, 12), Buffer.from([0xc0, 12, 0, 1, 0, 1])]);
    expect(rcode(await askUdp(port, pointer))).toBe(1);
    const socket = createSocket("udp4");
    closing.push(socket);
    await new Promise<void>((resolve) => socket.bind(0, "127.0.0.4", resolve));
    for (let n = 0; n < 300; n++) {
      const junk = Buffer.from(Array.from({ length: n }, (_, at) => (at * 31 + n * 17) & 255));
      const message = n % 2 === 0 ? junk : Buffer.concat([query().subarray(0, n % 40), junk]);
      await new Promise<void>((resolve) => socket.send(message, port, "127.0.0.1", () => setImmediate(resolve)));
    }
    expect(decode(await askUdp(port, query())).answers).toHaveLength(1);
  });

  it("keeps one guest from using up what is there for all", async () => {
    const clock = new FakeClock();
    first.behaviour = ({ packet }) =>
      packet.questions?.[0]?.name.startsWith("slow") === true ? undefined : answerTo(packet, "192.0.2.1");
    await start({ clock });
    const greedy = createSocket("udp4");
    closing.push(greedy);
    await new Promise<void>((resolve) => greedy.bind(0, "127.0.0.5", resolve));
    for (let n = 0; n < 200; n++) greedy.send(query(`slow${n}.example`), port, "127.0.0.1");
    await eventually(() => expect(first.seen).toHaveLength(64));
    expect(decode(await askUdp(port, query())).answers).toHaveLength(1);
    expect(first.seen.filter((seen) => seen.packet.questions?.[0]?.name.startsWith("slow") === true)).toHaveLength(64);
  });

  it("answers several questions of one connection, also in pieces and more than it takes at once", async () => {
    await start();
    const framed = Buffer.concat(Array.from({ length: 40 }, (_, n) => frameForTcp(query(`n${n}.example`))));
    const pieces = [framed.subarray(0, 1), framed.subarray(1, 50), framed.subarray(50)];
    const answers = await askTcp(port, pieces, 40);
    const names = answers.map((answer) => decode(answer).questions?.[0]?.name);
    expect(new Set(names).size).toBe(40);
  });

  it("closes a connection that sends too large a message, and one that is idle", async () => {
    const clock = new FakeClock();
    await start({ clock });
    expect(await askTcp(port, [Buffer.from([0xff, 0xff, 1, 2, 3])])).toEqual([]);
    await eventually(() => expect(clock.pending).toBe(0));
    const idle = askTcp(port, [Buffer.from([0])]);
    await eventually(() => expect(clock.pending).toBe(1));
    await clock.advance(TCP_IDLE_MS);
    expect(await idle).toEqual([]);
  });

  it("bounds the connections of one guest", async () => {
    await start();
    const sockets: Socket[] = [];
    for (let n = 0; n < 12; n++) sockets.push(connect(port, "127.0.0.1").on("error", () => {}));
    closing.push({ close: () => sockets.map((socket) => socket.destroy()) });
    let closed = 0;
    for (const socket of sockets) socket.on("close", () => closed++).resume();
    await eventually(() => expect(closed).toBe(4));
  });
});

describe("questions that are passed on", () => {
  it("are told with name, type and who asked, over UDP and TCP; those that are answered here are not", async () => {
    const asked: unknown[] = [];
    await start({ onQuestion: (question) => asked.push(question) });
    await askUdp(port, query("WWW.Example.org"));
    await askTcp(port, [frameForTcp(query("example.net", { questions: [{ type: "AAAA", name: "example.net" }] }))]);
    await askUdp(port, query("printer.local"));
    await askUdp(port, Buffer.from("no question at all"), "127.0.0.1").catch(() => {});
    expect(asked).toEqual([
      { source: "127.0.0.1", name: "www.example.org", type: "A" },
      { source: "127.0.0.1", name: "example.net", type: "AAAA" },
    ]);
  });

  it("are answered with a failure where whoever is told of them fails, again and again", async () => {
    const unexpected: unknown[] = [];
    const onQuestion = () => {
      throw new Error("the log is full");
    };
    await start({ onQuestion, onUnexpected: (thrown) => unexpected.push(thrown) });
    // More than one guest may have under way: none of them is held for ever.
    for (let n = 0; n < 70; n++) expect(rcode(await askUdp(port, query()))).toBe(2);
    expect(unexpected).toHaveLength(70);
  });
});

describe("start, rebind and stop", () => {
  it("tells a port that is taken from an address that is missing, and leaves nothing open", async () => {
    await start();
    const other = new DnsAnswerer({ clock: systemClock, resolvers: { current: () => [first] } });
    expect(await other.start(["127.0.0.2/8", "127.0.0.1/8"], port)).toMatchObject({
      ok: false,
      error: { code: "dns-port-taken" },
    });
    const clock = new FakeClock();
    const third = new DnsAnswerer({ clock, resolvers: { current: () => [first] } });
    const missing = third.start(["127.0.0.2/8", "192.0.2.77/24"], port);
    let settled = false;
    void missing.then(() => {
      settled = true;
    });
    await vi.waitFor(async () => {
      await clock.advance(100);
      expect(settled).toBe(true);
    }, 10_000);
    expect(clock.monotonicMs()).toBeGreaterThanOrEqual(2_000);
    expect(await missing).toMatchObject({ ok: false, error: { code: "dns-address-missing" } });
    expect(await other.start(["10.66.0.1"], port)).toMatchObject({ ok: false, error: { code: "dns-address-invalid" } });
    expect((await other.start(["127.0.0.2/8"], port)).ok).toBe(true);
    await other.dispose();
    await third.dispose();
  });

  it("binds anew, moves to another port, stops and starts again", async () => {
    await start();
    unwrap(await answerer.rebind());
    expect(decode(await askUdp(port, query())).answers).toHaveLength(1);
    const oldPort = port;
    await answerer.stop();
    await answerer.stop();
    unwrap(await answerer.rebind());
    await expect(askTcp(oldPort, [frameForTcp(query())])).resolves.toEqual([]);
    unwrap(await answerer.start(["127.0.0.1/8"], oldPort));
    expect(decode(await askUdp(oldPort, query())).answers).toHaveLength(1);
  });

  it("ends what is under way when it is disposed of, leaves no timer, and cannot be started again", async () => {
    const clock = new FakeClock();
    first.behaviour = () => undefined;
    await start({ clock });
    const asked = askTcp(port, [frameForTcp(query())]);
    await eventually(() => expect(first.seen).toHaveLength(1));
    await answerer.dispose();
    await answerer.dispose();
    expect(await asked).toEqual([]);
    await eventually(() => expect(clock.pending).toBe(0));
    expect((await answerer.start(["127.0.0.1/8"], port)).ok).toBe(false);
  });
});
