import { describe, expect, it } from "vitest";
import { MAX_PER_ADDRESS, MAX_PER_NETWORK, SourcePlaces } from "./source-places.ts";

describe("the places for connections of one source", () => {
  it("are few for an address, and come back", () => {
    const places = new SourcePlaces();
    const taken = Array.from({ length: MAX_PER_ADDRESS }, () => places.take("192.0.2.1"));
    expect(taken.every((giveBack) => giveBack !== undefined)).toBe(true);
    expect(places.take("192.0.2.1")).toBeUndefined();
    expect(places.take("192.0.2.2")).toBeDefined();
    taken[0]?.();
    expect(places.take("192.0.2.1")).toBeDefined();
  });

  it("are not more for a computer that takes many addresses of its IPv6 network", () => {
    const places = new SourcePlaces();
    const takes = Array.from({ length: 300 }, (_, index) => places.take(`2001:db8::${(index + 1).toString(16)}`));
    expect(takes.filter((giveBack) => giveBack !== undefined)).toHaveLength(MAX_PER_NETWORK);
    expect(places.take("2001:db8:0:1::1")).toBeDefined();
    expect(places.take("192.0.2.1")).toBeDefined();
    for (const giveBack of takes) giveBack?.();
    expect(places.take("2001:db8::1")).toBeDefined();
  });
});
