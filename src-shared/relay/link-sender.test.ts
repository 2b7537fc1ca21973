import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../testing/fake-clock.ts";
import { QueueBudget } from "./drop-oldest-queue.ts";
import { decodeDatagrams, MAX_DATAGRAM_BYTES } from "./frame.ts";
import { LinkSender, type LinkSenderOptions, SOCKET_WINDOW_BYTES } from "./link-sender.ts";
import { SlabPool } from "./slab-pool.ts";

/** A socket whose writes finish when the test says so. */
class Rig {
  readonly clock = new FakeClock();
  readonly pool = new SlabPool();
  readonly budget = new QueueBudget();
  readonly messages: Uint8Array[] = [];
  readonly writes: { message: Uint8Array; done: () => void }[] = [];
  dropped = 0;
  #soon: (() => void)[] = [];
  readonly sender: LinkSender;

  constructor(options: Partial<LinkSenderOptions> = {}) {
    this.sender = new LinkSender({
      clock: this.clock,
      soon: (action) => {
        this.#soon.push(action);
        return () => {
          this.#soon = this.#soon.filter((other) => other !== action);
        };
      },
      pool: this.pool,
      budget: this.budget,
      write: (message, done) => {
        this.writes.push({ message, done });
      },
      onDrop: (count) => {
        this.dropped += count;
      },
      ...options,
    });
  }

  /** The end of a turn of the event loop. */
  turn(): void {
    for (const action of this.#soon.splice(0)) action();
  }

  /** The kernel takes everything that was written, and what follows from that, until nothing does. */
  drain(): void {
    for (;;) {
      this.turn();
      const write = this.writes.shift();
      if (write === undefined) return;
      this.messages.push(Uint8Array.from(write.message));
      write.done();
    }
  }

  get arrived(): { session: number; tag: number; length: number }[] {
    return this.messages.flatMap((message) => {
      const result = decodeDatagrams(message);
      if (!result.ok) throw new Error(result.error.message);
      return result.value.map(({ session, payload }) => ({
        session,
        tag: payload[0] as number,
        length: payload.length,
      }));
    });
  }
}

function packet(tag: number, bytes = 100): Uint8Array {
  return new Uint8Array(bytes).fill(tag & 0xff);
}

describe("a link's sender", () => {
  it("sends a lone datagram at the end of the turn, as one message", () => {
    const rig = new Rig();
    rig.sender.send(5, packet(1));
    expect(rig.writes).toHaveLength(0);
    rig.turn();
    expect(rig.writes).toHaveLength(1);
    rig.drain();
    expect(rig.arrived).toEqual([{ session: 5, tag: 1, length: 100 }]);
  });

  it("joins what comes in one turn, in order", () => {
    const rig = new Rig();
    for (let tag = 0; tag < 20; tag++) rig.sender.send(tag % 3, packet(tag));
    rig.drain();
    expect(rig.messages).toHaveLength(1);
    expect(rig.arrived.map(({ tag }) => tag)).toEqual(Array.from({ length: 20 }, (_, tag) => tag));
  });

  it("queues nothing while the kernel takes every message at once, though it says so only later", () => {
    let backlogBytes = 0;
    const rig = new Rig({ backlogBytes: () => backlogBytes });
    for (let tag = 0; tag < 64; tag++) rig.sender.send(1, packet(tag, 1400));
    expect(rig.sender.inFlightBytes).toBeGreaterThan(SOCKET_WINDOW_BYTES);
    expect(rig.sender.queuedBytes).toBe(0);
    // From here the socket keeps what it gets.
    backlogBytes = SOCKET_WINDOW_BYTES;
    for (let tag = 64; tag < 100; tag++) rig.sender.send(1, packet(tag, 1400));
    expect(rig.sender.queuedBytes).toBeGreaterThan(36 * 1400);
    backlogBytes = 0;
    rig.drain();
    expect(rig.arrived.map(({ tag }) => tag)).toEqual(Array.from({ length: 100 }, (_, tag) => tag));
    expect(rig.dropped).toBe(0);
  });

  it("holds the next batch for the rest of a millisecond while the link is busy, never longer", async () => {
    const rig = new Rig();
    rig.sender.send(1, packet(1));
    rig.turn();
    rig.sender.send(1, packet(2));
    rig.turn();
    expect(rig.writes).toHaveLength(1);
    await rig.clock.advance(1);
    expect(rig.writes).toHaveLength(2);
    await rig.clock.advance(10);
    rig.sender.send(1, packet(3));
    rig.turn();
    expect(rig.writes).toHaveLength(3);
  });

  it("ends the hold in the turn that brings enough datagrams for one message", () => {
    const rig = new Rig();
    rig.sender.send(1, packet(0));
    rig.turn();
    for (let tag = 1; tag < 32; tag++) rig.sender.send(1, packet(tag));
    rig.turn();
    expect(rig.writes).toHaveLength(1);
    for (let tag = 32; tag < 36; tag++) rig.sender.send(1, packet(tag));
    rig.turn();
    expect(rig.writes).toHaveLength(2);
    rig.drain();
    expect(rig.arrived.map(({ tag }) => tag)).toEqual(Array.from({ length: 36 }, (_, tag) => tag));
  });

  it("flushes what fills a TLS record without waiting for the end of the turn", async () => {
    const rig = new Rig();
    for (let tag = 0; tag < 12; tag++) rig.sender.send(1, packet(tag, 1400));
    expect(rig.writes.map(({ message }) => message.length)).toEqual([1 + 11 * 1404]);
    await rig.clock.advance(1);
    rig.drain();
    expect(rig.arrived).toHaveLength(12);
  });

  it("hands a socket that does not write at most its window, and queues the rest", () => {
    const rig = new Rig();
    for (let tag = 0; tag < 500; tag++) rig.sender.send(tag % 4, packet(tag, 1400));
    rig.turn();
    expect(rig.sender.inFlightBytes).toBeLessThanOrEqual(SOCKET_WINDOW_BYTES);
    expect(rig.sender.inFlightBytes).toBeGreaterThan(SOCKET_WINDOW_BYTES / 2);
    rig.drain();
    expect(rig.arrived).toHaveLength(500);
    for (const session of [0, 1, 2, 3]) {
      const tags = rig.arrived.filter((item) => item.session === session).map(({ tag }) => tag);
      expect(tags).toEqual(Array.from({ length: 125 }, (_, index) => (index * 4 + session) & 0xff));
    }
  });

  it("gives every session its turn, so that a flood in one does not hold up another", () => {
    const rig = new Rig();
    for (let index = 0; index < 180; index++) rig.sender.send(1, packet(1, 1400));
    for (let index = 0; index < 5; index++) rig.sender.send(2, packet(2, 1400));
    rig.drain();
    const places = rig.arrived.flatMap(({ session }, place) => (session === 2 ? [place] : []));
    expect(places).toHaveLength(5);
    expect(Math.max(...places)).toBeLessThan(45);
  });

  it("drops the oldest of a session beyond its bound and counts every one", () => {
    const rig = new Rig();
    for (let index = 0; index < 1000; index++) rig.sender.send(1, packet(index, 1400));
    expect(rig.sender.queuedBytes).toBeLessThanOrEqual(256 * 1024);
    rig.drain();
    expect(rig.arrived.length + rig.dropped).toBe(1000);
    expect(rig.sender.stats.dropped).toBe(rig.dropped);
    expect(rig.arrived.at(-1)?.tag).toBe(999 & 0xff);
  });

  it("drops an empty or oversized datagram instead of failing", () => {
    const rig = new Rig();
    rig.sender.send(1, new Uint8Array(0));
    rig.sender.send(1, new Uint8Array(MAX_DATAGRAM_BYTES + 1));
    rig.sender.send(1, new Uint8Array(MAX_DATAGRAM_BYTES).fill(4));
    rig.drain();
    expect(rig.dropped).toBe(2);
    expect(rig.arrived).toEqual([{ session: 1, tag: 4, length: MAX_DATAGRAM_BYTES }]);
  });

  it("gives its buffer back when everything is written, and keeps none while idle", async () => {
    const rig = new Rig();
    rig.sender.send(1, packet(1));
    rig.drain();
    expect(rig.pool.free).toBe(1);
    rig.sender.send(1, packet(1));
    expect(rig.pool.free).toBe(0);
    await rig.clock.advance(1);
    rig.drain();
    expect(rig.pool.free).toBe(1);
  });

  it("leaves a message alone until the socket has written it", () => {
    const rig = new Rig();
    rig.sender.send(1, packet(1, 1000));
    rig.turn();
    const first = rig.writes[0]?.message as Uint8Array;
    const copy = Uint8Array.from(first);
    for (let index = 0; index < 200; index++) rig.sender.send(2, packet(9, 1000));
    rig.turn();
    expect(first).toEqual(copy);
  });

  it("forgets a closed session's queue, and everything when disposed, without a timer left", async () => {
    const rig = new Rig();
    for (let index = 0; index < 100; index++) rig.sender.send(index % 2, packet(index, 1400));
    const before = rig.sender.queuedBytes;
    rig.sender.closeSession(1);
    expect(rig.sender.queuedBytes).toBeLessThan(before);
    rig.sender.dispose();
    rig.sender.dispose();
    expect(rig.budget.usedBytes).toBe(0);
    expect(rig.clock.pending).toBe(0);
    for (const { done } of rig.writes.splice(0)) done();
    rig.sender.send(0, packet(1));
    rig.turn();
    await rig.clock.advance(5);
    expect(rig.writes).toHaveLength(0);
  });

  it("loses nothing and reorders nothing within a session while there is room, however writes finish", async () => {
    const step = fc.record({
      session: fc.nat({ max: 3 }),
      bytes: fc.integer({ min: 1, max: 3000 }),
      act: fc.nat({ max: 5 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 120 }), async (steps) => {
        const rig = new Rig();
        const sent = new Map<number, number[]>();
        let tag = 0;
        for (const { session, bytes, act } of steps) {
          rig.sender.send(session, packet(tag, bytes));
          sent.set(session, [...(sent.get(session) ?? []), tag & 0xff]);
          tag++;
          if (act === 0) rig.turn();
          if (act === 1) await rig.clock.advance(1);
          if (act === 2) {
            const write = rig.writes.shift();
            if (write !== undefined) {
              rig.messages.push(Uint8Array.from(write.message));
              write.done();
            }
          }
        }
        rig.drain();
        await rig.clock.advance(2);
        rig.drain();
        for (const [session, tags] of sent) {
          expect(rig.arrived.filter((item) => item.session === session).map((item) => item.tag)).toEqual(tags);
        }
        expect(rig.sender.inFlightBytes).toBe(0);
      }),
      { numRuns: 100 },
    );
  });
});
