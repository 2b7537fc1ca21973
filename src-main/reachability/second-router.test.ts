import { afterEach, describe, expect, it } from "vitest";
import { FakeIgd } from "../../e2e/lab/servers/fake-igd.ts";
import { ok } from "../../src-shared/result.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { silentLogger } from "../logs/testing/recording-log.ts";
import type { Datagrams, Sender } from "../port-forwarding/datagrams.ts";
import type { Mapping } from "../port-forwarding/mapping.ts";
import { type MappingIo, systemIo } from "../port-forwarding/mapping-io.ts";
import { MappingJournal } from "../port-forwarding/mapping-journal.ts";
import { SecondRouter } from "./second-router.ts";

const GATEWAY = "192.168.88.1";
const LOCAL = "192.168.77.10";
const INNER = "192.168.88.2";
const QUESTION = { gateway: GATEWAY, local: LOCAL, inner: null, port: 40_000 };

/**
 * A router that speaks NAT-PMP (RFC 6886, sections 3.2 and 3.3) and PCP (RFC 6887, section 11) and grants what it is asked
 * for, to the address it sees the packets come from: the first router's.
 */
class Router {
  external = [11, 22, 33, 2];
  refuses = false;
  speaks: ("pcp" | "nat-pmp")[] = ["nat-pmp"];
  readonly mapped = new Map<number, number>();
  /** PCP: by internal port. */
  readonly nonces = new Map<number, string>();
  readonly asked: Sender[] = [];

  readonly datagrams: Pick<Datagrams, "connect"> = {
    connect: async (to, _local, handlers) => {
      this.asked.push(to);
      const send = (message: Uint8Array) => {
        const request = Buffer.from(message);
        const answer =
          to.port !== 5351
            ? undefined
            : request[0] === 2 && this.speaks.includes("pcp")
              ? this.#pcp(request)
              : request[0] === 0 && this.speaks.includes("nat-pmp")
                ? this.#natPmp(request)
                : undefined;
        queueMicrotask(() => (answer === undefined ? handlers.onError("refused") : handlers.onMessage(answer, to)));
      };
      return ok({ send, close: () => {} });
    },
  };

  #pcp(request: Buffer): Buffer {
    const answer = Buffer.from(request);
    answer[1] = 128 + (request[1] ?? 0);
    answer.fill(0, 8, 24).writeUInt32BE(100, 8);
    const client = [...request.subarray(20, 24)].join(".");
    const [internal, nonce] = request[1] === 1 ? [request.readUInt16BE(40), request.toString("hex", 24, 36)] : [0, ""];
    const isForeign = this.nonces.has(internal) && this.nonces.get(internal) !== nonce;
    // ADDRESS_MISMATCH, NOT_AUTHORIZED (section 7.4).
    answer[3] = client !== INNER ? 12 : isForeign || this.refuses ? 2 : 0;
    if (answer[3] !== 0 || request[1] !== 1) return answer;
    const isDeletion = request.readUInt32BE(4) === 0;
    if (isDeletion) {
      this.mapped.delete(internal);
      this.nonces.delete(internal);
    } else {
      this.mapped.set(internal, request.readUInt16BE(42));
      this.nonces.set(internal, nonce);
    }
    answer.fill(0, 44, 54).fill(0xff, 54, 56).set(this.external, 56);
    return answer;
  }

  #natPmp(request: Buffer): Buffer {
    const opcode = request[1] ?? 0;
    const answer = Buffer.alloc(opcode === 0 ? 12 : 16);
    answer[1] = 128 + opcode;
    answer.writeUInt16BE(this.refuses ? 2 : 0, 2);
    answer.writeUInt32BE(100, 4);
    if (opcode === 0) {
      answer.set(this.external, 8);
      return answer;
    }
    const [internal, wanted, lifetime] = [request.readUInt16BE(4), request.readUInt16BE(6), request.readUInt32BE(8)];
    if (lifetime === 0) this.mapped.delete(internal);
    else if (!this.refuses) this.mapped.set(internal, wanted);
    answer.writeUInt16BE(internal, 8);
    answer.writeUInt16BE(lifetime === 0 ? 0 : wanted, 10);
    answer.writeUInt32BE(lifetime, 12);
    return answer;
  }
}

function rig() {
  const clock = new FakeClock();
  const router = new Router();
  const kept = new Map<string, unknown>();
  const logger = silentLogger();
  const kv = { get: () => undefined, set: (key: string, value: unknown) => void kept.set(key, value) };
  const journal = new MappingJournal({ kv, clock, logger });
  let octet = 0;
  const io = {
    clock,
    datagrams: router.datagrams,
    randomBytes: (count: number) => new Uint8Array(count).fill(++octet),
  };
  const newSecond = () => new SecondRouter({ io: io as unknown as MappingIo, journal, logger });
  return { clock, router, journal, second: newSecond(), newSecond };
}

describe("a second router at home", () => {
  it("forwards to the first one's port, is journalled, and forgets it at the end", async () => {
    const { clock, router, journal, second } = rig();
    expect(await second.map(QUESTION)).toEqual({ host: "11.22.33.2", port: 40_000 });
    expect(second.mapped).toEqual({ host: "11.22.33.2", port: 40_000 });
    expect(journal.entries()).toMatchObject([{ gateway: GATEWAY, address: LOCAL, internalPort: 40_000 }]);
    await second.release();
    await second.release();
    expect([router.mapped.size, journal.entries(), second.mapped, clock.pending]).toEqual([0, [], undefined, 0]);
  });

  it("is asked to renew at half the lifetime", async () => {
    const { clock, router, second } = rig();
    await second.map(QUESTION);
    router.mapped.clear();
    await clock.advance(3_600_000);
    expect(router.mapped.get(40_000)).toBe(40_000);
    await second.release();
  });

  it("gives up the former port where another is wanted, and what an earlier run has left", async () => {
    const { router, journal, second } = rig();
    const left: Mapping = {
      protocol: "nat-pmp",
      gateway: GATEWAY,
      address: LOCAL,
      transport: "udp",
      internalPort: 30_000,
      externalAddress: null,
      externalPort: 30_000,
      lifetimeSeconds: 7_200,
    };
    journal.note(left);
    router.mapped.set(30_000, 30_000);
    await second.map(QUESTION);
    await second.map({ ...QUESTION, port: 40_001 });
    expect([...router.mapped.keys()]).toEqual([40_001]);
    expect(journal.entries()).toHaveLength(1);
    await second.release();
  });

  it("is none where it refuses, or has no public address itself", async () => {
    const refusing = rig();
    refusing.router.refuses = true;
    expect(await refusing.second.map(QUESTION)).toBeUndefined();
    const third = rig();
    third.router.external = [192, 168, 99, 2];
    expect(await third.second.map(QUESTION)).toBeUndefined();
    expect(third.router.mapped.size).toBe(0);
    expect(third.clock.pending).toBe(0);
  });

  it.each(["100.64.0.1", "11.22.33.1", "8.8.8.8", "fe80::1", "nonsense"])("is never asked at %s", async (gateway) => {
    const { router, second } = rig();
    expect(await second.map({ ...QUESTION, gateway })).toBeUndefined();
    expect(router.asked).toEqual([]);
  });

  it("is asked by PCP first, in the name of the first router's address, and keeps what it granted by its nonce", async () => {
    const { clock, router, journal, second } = rig();
    router.speaks = ["pcp", "nat-pmp"];
    expect(await second.map({ ...QUESTION, inner: INNER })).toEqual({ host: "11.22.33.2", port: 40_000 });
    expect(journal.entries()).toMatchObject([{ protocol: "pcp", address: LOCAL, clientAddress: INNER }]);
    const nonce = router.nonces.get(40_000);
    await clock.advance(3_600_000);
    expect(router.nonces.get(40_000)).toBe(nonce);
    expect(second.mapped).toBeDefined();
    await second.release();
    expect([router.mapped.size, journal.entries(), clock.pending]).toEqual([0, [], 0]);
  });

  it("is asked by NAT-PMP where it does not speak PCP, or the first router's address is not known", async () => {
    const { journal, second } = rig();
    await second.map({ ...QUESTION, inner: INNER });
    expect(journal.entries()).toMatchObject([{ protocol: "nat-pmp" }]);
    await second.release();
    const unknown = rig();
    unknown.router.speaks = ["pcp"];
    expect(await unknown.second.map(QUESTION)).toBeUndefined();
    expect(unknown.router.asked.every(({ port }) => port === 5351)).toBe(true);
  });

  it("has what a killed run was granted by PCP deleted before the same is asked for", async () => {
    const { router, journal, second, newSecond } = rig();
    router.speaks = ["pcp"];
    await second.map({ ...QUESTION, inner: INNER });
    const former = router.nonces.get(40_000);
    const next = newSecond();
    expect(await next.map({ ...QUESTION, inner: INNER })).toBeDefined();
    expect(router.nonces.get(40_000)).not.toBe(former);
    expect(journal.entries()).toHaveLength(1);
    await next.release();
  });

  it("keeps nothing of what it grants after it was released", async () => {
    const { clock, router, journal, second } = rig();
    const mapped = second.map(QUESTION);
    await second.release();
    expect(await mapped).toBeUndefined();
    expect([router.mapped.size, journal.entries(), second.mapped, clock.pending]).toEqual([0, [], undefined, 0]);
  });

  it("that does not renew is given up, so that the next look asks anew", async () => {
    const { clock, router, second } = rig();
    await second.map(QUESTION);
    router.refuses = true;
    await clock.advance(3_600_000);
    expect(second.mapped).toBeUndefined();
    router.refuses = false;
    expect(await second.map(QUESTION)).toBeDefined();
    await second.release();
    expect(clock.pending).toBe(0);
  });
});

describe("a second router that speaks UPnP alone", () => {
  let fake: FakeIgd | undefined;
  afterEach(async () => {
    await fake?.close();
    fake = undefined;
  });

  it("forwards to the first one's address, renews, and deletes what an earlier run has left", async () => {
    const started = await FakeIgd.start({
      address: "127.0.0.1",
      httpPort: 0,
      ssdpPort: 0,
      version: 2,
      fault: "ok",
      externalAddress: "11.22.33.2",
    });
    fake = started;
    const clock = new FakeClock();
    const logger = silentLogger();
    const kv = { get: () => undefined, set: () => {} };
    const journal = new MappingJournal({ kv, clock, logger });
    const system = systemIo();
    // The second router's address leads to the fake; what it announces is read as coming from there.
    const here = (text: string) => text.replaceAll(GATEWAY, "127.0.0.1");
    const there = (text: string) => text.replaceAll("127.0.0.1", GATEWAY);
    const io: MappingIo = {
      ...system,
      http: (question) => system.http({ ...question, url: here(question.url), localAddress: "127.0.0.1" }),
      datagrams: {
        ...system.datagrams,
        connect: (to, _local, handlers, signal) =>
          system.datagrams.connect(
            { address: "127.0.0.1", port: to.port === 1900 ? started.ssdpPort : to.port },
            "127.0.0.1",
            {
              onError: (kind) => handlers.onError(kind),
              onMessage: (message, { port }) =>
                handlers.onMessage(Buffer.from(there(Buffer.from(message).toString("latin1")), "latin1"), {
                  address: GATEWAY,
                  port,
                }),
            },
            signal,
          ),
      },
    };
    const second = new SecondRouter({ io, journal, logger });
    expect(await second.map({ ...QUESTION, inner: INNER })).toEqual({ host: "11.22.33.2", port: 40_000 });
    expect(started.entries.get("UDP 40000")).toEqual({
      internalClient: INNER,
      internalPort: 40_000,
      leaseSeconds: 7_200,
    });
    started.entries.clear();
    expect(await second.map({ ...QUESTION, inner: INNER })).toBeDefined();
    expect(started.entries.has("UDP 40000")).toBe(true);
    const next = new SecondRouter({ io, journal, logger });
    await next.map({ ...QUESTION, inner: INNER, port: 40_001 });
    expect([...started.entries.keys()]).toEqual(["UDP 40001"]);
    await next.release();
    expect([started.entries.size, journal.entries()]).toEqual([0, []]);
  });
});
