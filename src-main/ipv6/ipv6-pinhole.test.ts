import { describe, expect, it } from "vitest";
import { ok } from "../../src-shared/result.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { createLogger } from "../logs/logger.ts";
import type { Datagrams, Sender } from "../port-forwarding/datagrams.ts";
import type { MappingIo } from "../port-forwarding/mapping-io.ts";
import { MappingJournal } from "../port-forwarding/mapping-journal.ts";
import { Ipv6Pinhole, type PinholeWanted } from "./ipv6-pinhole.ts";

const WANTED: PinholeWanted = {
  address: "2a0a:77::10",
  onLink: "2a0a:77::/64",
  gateway: "2a0a:77::1",
  port: 51820,
};

/** A router that speaks PCP (RFC 6887, section 11): what it has open, by port, with the nonce that may close it. */
class Router {
  readonly open = new Map<number, string>();
  readonly asked: Sender[] = [];
  refuses = false;
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
    const answer = Buffer.from(request);
    const [port, lifetime, nonce] = [
      request.readUInt16BE(40),
      request.readUInt32BE(4),
      request.toString("hex", 24, 36),
    ];
    answer[1] = 0x81;
    answer.fill(0, 8, 24);
    const foreign = this.open.has(port) && this.open.get(port) !== nonce;
    answer[3] = this.refuses || foreign ? 2 : 0;
    answer.writeUInt32BE(77, 8);
    answer.writeUInt16BE(port, 42);
    request.copy(answer, 44, 8, 24);
    if (answer[3] !== 0) return answer;
    if (lifetime === 0) this.open.delete(port);
    else this.open.set(port, nonce);
    return answer;
  }
}

function rig(kept = new Map<string, unknown>(), router = new Router()) {
  const clock = new FakeClock();
  const logger = createLogger({ sink: { write: () => {}, close: () => {} }, clock });
  const kv = {
    get: ((key: string) => kept.get(key)) as never,
    set: (key: string, value: unknown) => void kept.set(key, value),
  };
  const journal = new MappingJournal({ kv, clock, logger });
  let octet = kept.size;
  const io = {
    clock,
    datagrams: router.datagrams,
    randomBytes: (count: number) => new Uint8Array(count).fill(++octet),
  };
  let hop: string | null = null;
  const pinhole = new Ipv6Pinhole({
    io: io as unknown as MappingIo,
    journal,
    logger,
    firstHop: async () => hop,
    onChange: () => {},
  });
  return {
    clock,
    kept,
    router,
    journal,
    pinhole,
    tellHop: (text: string) => {
      hop = text;
    },
  };
}

describe("a pinhole for guests over IPv6", () => {
  it("is opened, told with its endpoint, and closed when it is not wanted any more", async () => {
    const { clock, router, journal, pinhole } = rig();
    pinhole.update(WANTED);
    await clock.advance(0);
    expect(pinhole.state).toMatchObject({ state: "open", endpoint: { host: "2a0a:77::10", port: 51820 } });
    expect(router.open.size).toBe(1);
    pinhole.update(undefined);
    await clock.advance(0);
    expect([router.open.size, journal.entries(), pinhole.state.state, clock.pending]).toEqual([0, [], "off", 0]);
  });

  it("is asked for once, and again at half the lifetime", async () => {
    const { clock, router, pinhole } = rig();
    for (let count = 0; count < 3; count++) pinhole.update({ ...WANTED });
    await clock.advance(0);
    expect(router.asked).toHaveLength(1);
    router.open.clear();
    await clock.advance(3_600_000);
    expect(router.open.size).toBe(1);
    expect(pinhole.state.state).toBe("open");
    await pinhole.dispose();
    expect([router.open.size, clock.pending]).toEqual([0, 0]);
  });

  it("is taken over from a run that ended without closing it", async () => {
    const first = rig();
    first.pinhole.update(WANTED);
    await first.clock.advance(0);
    const second = rig(first.kept, first.router);
    second.pinhole.update(WANTED);
    await second.clock.advance(0);
    expect(second.pinhole.state.state).toBe("open");
    await second.pinhole.dispose();
    expect(first.router.open.size).toBe(0);
  });

  it("is closed with a reason where the router refuses, and asked for again in ten minutes", async () => {
    const { clock, router, pinhole } = rig();
    router.refuses = true;
    pinhole.update(WANTED);
    await clock.advance(0);
    expect(pinhole.state).toMatchObject({ state: "closed", reason: { code: "not-authorised" } });
    router.refuses = false;
    await clock.advance(10 * 60_000);
    expect(pinhole.state.state).toBe("open");
    await pinhole.dispose();
  });

  it("is asked of the first hop where the gateway is known by its link-local address, and of nobody beyond the home", async () => {
    const { clock, router, pinhole, tellHop } = rig();
    pinhole.update({ ...WANTED, gateway: "fe80::1" });
    await clock.advance(0);
    expect(pinhole.state).toMatchObject({ state: "closed", reason: { code: "ipv6-no-router" } });
    tellHop("2a0a:99::1");
    await clock.advance(10 * 60_000);
    expect(router.asked).toEqual([]);
    tellHop("2a0a:77::1");
    await clock.advance(10 * 60_000);
    expect(router.asked[0]).toMatchObject({ address: "2a0a:77::1" });
    expect(pinhole.state.state).toBe("open");
    await pinhole.dispose();
  });
});
