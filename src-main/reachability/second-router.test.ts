import { describe, expect, it } from "vitest";
import { ok } from "../../src-shared/result.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { createLogger } from "../logs/logger.ts";
import type { Datagrams, Sender } from "../port-forwarding/datagrams.ts";
import type { Mapping } from "../port-forwarding/mapping.ts";
import type { MappingIo } from "../port-forwarding/mapping-io.ts";
import { MappingJournal } from "../port-forwarding/mapping-journal.ts";
import { SecondRouter } from "./second-router.ts";

const GATEWAY = "192.168.88.1";
const LOCAL = "192.168.77.10";
const QUESTION = { gateway: GATEWAY, local: LOCAL, port: 40_000 };

/** A NAT-PMP router on the wire (RFC 6886, sections 3.2 and 3.3) that grants what it is asked for. */
class Router {
  external = [11, 22, 33, 2];
  refuses = false;
  readonly mapped = new Map<number, number>();
  readonly asked: Sender[] = [];

  readonly datagrams: Pick<Datagrams, "connect"> = {
    connect: async (to, _local, handlers) => {
      this.asked.push(to);
      const send = (request: Uint8Array) => {
        const answer = this.#answer(Buffer.from(request));
        queueMicrotask(() => handlers.onMessage(answer, to));
      };
      return ok({ send, close: () => {} });
    },
  };

  #answer(request: Buffer): Buffer {
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
  const logger = createLogger({ sink: { write: () => {}, close: () => {} }, clock });
  const kv = { get: () => undefined, set: (key: string, value: unknown) => void kept.set(key, value) };
  const journal = new MappingJournal({ kv, clock, logger });
  const io = { clock, datagrams: router.datagrams, randomBytes: (count: number) => new Uint8Array(count) };
  const second = new SecondRouter({ io: io as unknown as MappingIo, journal, logger });
  return { clock, router, journal, second };
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
});
