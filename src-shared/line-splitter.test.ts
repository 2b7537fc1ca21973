import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LineSplitter } from "./line-splitter.ts";

/** Cuts `text` at the given places, as a stream may. */
function chunksOf(text: string, cuts: readonly number[]): string[] {
  const places = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length];
  return places.slice(1).map((end, index) => text.slice(places[index], end));
}

describe("LineSplitter", () => {
  it("gives the same lines however the stream is cut", () => {
    const lines = fc.array(fc.string().map((line) => line.replaceAll("\n", "")));
    fc.assert(
      fc.property(lines, fc.array(fc.nat()), fc.string(), (expected, cuts, rest) => {
        const text = expected.map((line) => `${line}\n`).join("") + rest.replaceAll("\n", "");
        const splitter = new LineSplitter(1_000);
        const found = chunksOf(text, cuts).flatMap((chunk) => [...splitter.push(chunk)]);
        expect(found).toEqual(expected);
      }),
    );
  });

  it("takes a line of exactly the cap and refuses one more character, however it is cut", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.array(fc.nat()), (cap, cuts) => {
        const fits = new LineSplitter(cap);
        expect(chunksOf(`${"x".repeat(cap)}\n`, cuts).flatMap((chunk) => [...fits.push(chunk)])).toEqual([
          "x".repeat(cap),
        ]);
        const bursts = new LineSplitter(cap);
        expect(() => chunksOf("x".repeat(cap + 1), cuts).flatMap((chunk) => [...bursts.push(chunk)])).toThrow(
          RangeError,
        );
      }),
    );
  });

  it("gives the lines before the one that is too long", () => {
    const splitter = new LineSplitter(3);
    const found: string[] = [];
    expect(() => {
      for (const line of splitter.push("a\nbb\ncccc\nd\n")) found.push(line);
    }).toThrow(RangeError);
    expect(found).toEqual(["a", "bb"]);
  });

  it("takes a new cap for what comes next, even in the same chunk", () => {
    const splitter = new LineSplitter(2);
    const found: string[] = [];
    for (const line of splitter.push("hi\na longer line\n")) {
      found.push(line);
      splitter.maxLength = 100;
    }
    expect(found).toEqual(["hi", "a longer line"]);
  });

  it("holds back a line that has not ended", () => {
    const splitter = new LineSplitter(10);
    expect([...splitter.push("half")]).toEqual([]);
    expect([...splitter.push(" done\n")]).toEqual(["half done"]);
  });
});
