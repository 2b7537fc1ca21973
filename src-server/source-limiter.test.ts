import { describe, expect, it } from "vitest";
import { prefix } from "../src-shared/net/address.ts";
import { configSchema } from "./config.ts";
import { sourceAddress } from "./forwarded-for.ts";
import { networkOf, SourceLimiter } from "./source-limiter.ts";

const limits = configSchema.parse({
  limits: { sourcePacketsPerSecond: 100, sourceBytesPerSecond: 1_000_000, sessionsPerSource: 2, trackedSources: 3 },
}).limits;

describe("a source's limits", () => {
  it("are counted per IPv4 address and per IPv6 /64", () => {
    expect(networkOf("192.0.2.1")).toBe("192.0.2.1");
    expect(networkOf("::ffff:192.0.2.1")).toBe("192.0.2.1");
    expect(networkOf("2001:db8:1:2:3:4:5:6")).toBe("2001:db8:1:2::");
    expect(networkOf("2001:db8:1:2::9")).toBe("2001:db8:1:2::");
    expect(networkOf("2001:db8::9")).toBe("2001:db8:0:0::");
    expect(networkOf("fe80::1%eth0")).toBe("fe80:0:0:0::");
  });

  it("stop a flood at its rate and leave other sources alone", () => {
    const limiter = new SourceLimiter(limits);
    let admitted = 0;
    for (let index = 0; index < 1000; index++) if (limiter.admit("a", 100, 0)) admitted++;
    expect(admitted).toBe(32);
    expect(limiter.admit("b", 100, 0)).toBe(true);
    expect(limiter.admit("a", 100, 1000)).toBe(true);
  });

  it("bound how many sources are on record, and forget those that owe nothing", () => {
    const limiter = new SourceLimiter(limits);
    for (const network of ["a", "b", "c"]) expect(limiter.admit(network, 100, 0)).toBe(true);
    expect(limiter.admit("d", 100, 0)).toBe(false);
    limiter.openSession("a", 0);
    limiter.sweep(10_000);
    expect(limiter.tracked).toBe(1);
    expect(limiter.admit("d", 100, 10_000)).toBe(true);
  });

  it("count sessions until they are closed", () => {
    const limiter = new SourceLimiter(limits);
    expect([1, 2, 3].map(() => limiter.openSession("a", 0))).toEqual([true, true, false]);
    limiter.closeSession("a");
    expect(limiter.openSession("a", 0)).toBe(true);
  });
});

describe("the address behind proxies", () => {
  const trusted = [prefix("10.0.0.0/8"), prefix("fd00::/8")];

  it("is the nearest that is not ours, whatever a client writes in front", () => {
    expect(sourceAddress("10.0.0.1", "1.1.1.1, 203.0.113.9, 10.0.0.2", trusted)).toBe("203.0.113.9");
    expect(sourceAddress("::ffff:10.0.0.1", "203.0.113.9", trusted)).toBe("203.0.113.9");
    expect(sourceAddress("203.0.113.1", "1.1.1.1", trusted)).toBe("203.0.113.1");
    expect(sourceAddress("10.0.0.1", undefined, trusted)).toBe("10.0.0.1");
    expect(sourceAddress("10.0.0.1", "nonsense", trusted)).toBe("10.0.0.1");
    expect(sourceAddress("10.0.0.1", "nonsense, 10.0.0.3", trusted)).toBe("10.0.0.3");
  });
});
