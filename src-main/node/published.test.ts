import { describe, expect, it } from "vitest";
import { Published, type Revised } from "./published.ts";

describe("a published value", () => {
  it("gives each change the next revision, and tells followers of it", () => {
    const told: Revised<number[]>[] = [];
    const published = new Published([1]);
    const { run } = published.current;
    published.follow((revised) => told.push(revised));
    published.set([2]);
    published.set([2, 3]);
    expect(told).toEqual([
      { run, revision: 1, value: [2] },
      { run, revision: 2, value: [2, 3] },
    ]);
    expect(published.current).toEqual(told[1]);
  });

  it("takes an equal value for no change", () => {
    let told = 0;
    const published = new Published({ a: { b: 1 } });
    published.follow(() => told++);
    published.set({ a: { b: 1 } });
    expect(told).toBe(0);
    expect(published.current.revision).toBe(0);
  });

  it("has the same run as all others of this process", () => {
    expect(new Published(1).current.run).toBe(new Published("a").current.run);
  });
});
