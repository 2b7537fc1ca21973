import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DropOldestQueue, QUEUE_ENTRY_OVERHEAD_BYTES, QueueBudget } from "./drop-oldest-queue.ts";

function packet(tag: number, bytes = 100): Uint8Array {
  return new Uint8Array(bytes).fill(tag & 0xff);
}

describe("a drop-oldest queue", () => {
  it("gives datagrams back in their order", () => {
    const queue = new DropOldestQueue(new QueueBudget(), () => undefined);
    for (let tag = 0; tag < 50; tag++) queue.push(packet(tag));
    for (let tag = 0; tag < 50; tag++) expect(queue.shift()?.[0]).toBe(tag);
    expect(queue.shift()).toBeUndefined();
    expect(queue.bytes).toBe(0);
  });

  it("gives up the oldest when it is full, and counts them", () => {
    let dropped = 0;
    const cost = 100 + QUEUE_ENTRY_OVERHEAD_BYTES;
    const queue = new DropOldestQueue(new QueueBudget(), (count) => (dropped += count), 3 * cost);
    for (let tag = 0; tag < 10; tag++) queue.push(packet(tag));
    expect(dropped).toBe(7);
    expect([queue.shift()?.[0], queue.shift()?.[0], queue.shift()?.[0]]).toEqual([7, 8, 9]);
  });

  it("drops a datagram that is larger than all of it, and keeps the rest", () => {
    let dropped = 0;
    const queue = new DropOldestQueue(new QueueBudget(), (count) => (dropped += count), 1000);
    queue.push(packet(1));
    queue.push(packet(2, 2000));
    expect(dropped).toBe(1);
    expect(queue.length).toBe(1);
  });

  it("keeps no larger message alive by a small datagram", () => {
    const queue = new DropOldestQueue(new QueueBudget(), () => undefined);
    queue.push(new Uint8Array(64 * 1024).subarray(10, 12));
    expect(queue.shift()?.buffer.byteLength).toBe(2);
  });

  it("takes from the longest when the process's budget is spent, so that small flows are left alone", () => {
    const budget = new QueueBudget(100_000);
    let floodDropped = 0;
    let otherDropped = 0;
    const flood = new DropOldestQueue(budget, (count) => (floodDropped += count));
    const other = new DropOldestQueue(budget, (count) => (otherDropped += count));
    for (let index = 0; index < 5000; index++) {
      flood.push(packet(1));
      if (index % 100 === 0) other.push(packet(2));
    }
    expect(budget.usedBytes).toBeLessThanOrEqual(100_000);
    expect(other.length).toBe(50);
    expect(otherDropped).toBe(0);
    expect(floodDropped + flood.length).toBe(5000);
  });

  it("keeps its books right through any sequence of pushes, takes and clears", () => {
    const step = fc.record({
      queue: fc.nat({ max: 2 }),
      act: fc.nat({ max: 9 }),
      bytes: fc.integer({ min: 1, max: 900 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const budget = new QueueBudget(6000);
        let lost = 0;
        let pushed = 0;
        let taken = 0;
        const queues = [0, 1, 2].map(() => new DropOldestQueue(budget, (count) => (lost += count), 3000));
        for (const { queue: index, act, bytes } of steps) {
          const queue = queues[index] as DropOldestQueue;
          if (act < 6) {
            queue.push(packet(act, bytes));
            pushed++;
          } else if (act < 9) {
            if (queue.shift() !== undefined) taken++;
          } else {
            lost += queue.clear();
          }
          expect(budget.usedBytes).toBe(queues.reduce((sum, { bytes: held }) => sum + held, 0));
          expect(budget.usedBytes).toBeLessThanOrEqual(6000);
          expect(pushed).toBe(taken + lost + queues.reduce((sum, { length }) => sum + length, 0));
        }
      }),
      { numRuns: 300 },
    );
  });
});
