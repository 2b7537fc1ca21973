import { describe, expect, it } from "vitest";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { LoginLimiter, TRIES_IN_ALL, TRIES_PER_SOURCE } from "./login-limiter.ts";

function tries(limiter: LoginLimiter, source: string, count: number): number {
  return Array.from({ length: count }, () => limiter.take(source)).filter((wait) => wait === 0).length;
}

describe("LoginLimiter", () => {
  it("gives one source a few tries, and one more each minute", async () => {
    const clock = new FakeClock();
    const limiter = new LoginLimiter(clock);
    expect(tries(limiter, "192.0.2.1", 20)).toBe(TRIES_PER_SOURCE);
    await clock.advance(59_000);
    expect(tries(limiter, "192.0.2.1", 5)).toBe(0);
    await clock.advance(1_500);
    expect(tries(limiter, "192.0.2.1", 5)).toBe(1);
  });

  it("takes the addresses of one IPv6 network, and an IPv4 address in either form, for one source", () => {
    const limiter = new LoginLimiter(new FakeClock());
    expect(tries(limiter, "2001:db8::1", 20)).toBe(TRIES_PER_SOURCE);
    expect(tries(limiter, "2001:db8::ffff:2", 5)).toBe(0);
    expect(tries(limiter, "2001:db8:0:1::1", 1)).toBe(1);
    expect(tries(limiter, "::ffff:192.0.2.9", 20)).toBe(TRIES_PER_SOURCE);
    expect(tries(limiter, "::ffff:192.0.2.10", 1)).toBe(1);
  });

  it("bounds what all sources try together, and counts nothing of those who are refused", async () => {
    const clock = new FakeClock();
    const limiter = new LoginLimiter(clock);
    tries(limiter, "192.0.2.1", 1_000);
    let allowed = TRIES_PER_SOURCE;
    for (let source = 0; source < 5_000; source++) allowed += tries(limiter, `10.0.${source >> 8}.${source & 255}`, 1);
    expect(allowed).toBe(TRIES_IN_ALL);
    await clock.advance(5_000);
    expect(tries(limiter, "198.51.100.1", 1)).toBe(1);
  });

  it("forgets the errors of whoever knew the password in the end", () => {
    const limiter = new LoginLimiter(new FakeClock());
    tries(limiter, "192.0.2.1", TRIES_PER_SOURCE);
    limiter.forgive("192.0.2.1");
    expect(limiter.take("192.0.2.1")).toBe(0);
  });

  it("keeps nobody out where the password has come from before, who may guess no more than others all the same", () => {
    const limiter = new LoginLimiter(new FakeClock());
    expect(tries(limiter, "192.0.2.1", 1)).toBe(1);
    limiter.forgive("192.0.2.1");
    for (let source = 0; source < 5_000; source++) tries(limiter, `10.0.${source >> 8}.${source & 255}`, 1);
    expect(tries(limiter, "198.51.100.1", 1)).toBe(0);
    expect(tries(limiter, "192.0.2.1", 3)).toBe(3);
    for (let source = 0; source < 5_000; source++) tries(limiter, `10.0.${source >> 8}.${source & 255}`, 1);
    expect(tries(limiter, "192.0.2.1", 20)).toBe(TRIES_PER_SOURCE - 3);
  });
});
