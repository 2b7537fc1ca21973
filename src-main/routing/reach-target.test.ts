import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Endpoint } from "../../src-shared/net/endpoint.ts";
import { eventually } from "../../src-shared/testing/eventually.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { firstToAnswer, reachTarget } from "./reach-target.ts";

let server: Server;
let open: Endpoint;
let clock: FakeClock;
let sources: (string | undefined)[];

/** Cannot be reached from an IPv4 address. */
const UNREACHABLE = { host: "::1", port: 9 };

beforeEach(async () => {
  clock = new FakeClock();
  sources = [];
  server = createServer((socket) => {
    sources.push(socket.remoteAddress);
    socket.on("error", () => {}).resume();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  open = { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
});

afterEach(() => {
  server.close();
  expect(clock.pending).toBe(0);
});

describe("a target out there", () => {
  it("answers by accepting, from the address that is asked for, and by refusing", async () => {
    expect(await reachTarget(open, { from: "127.0.0.9", withinMs: 1_000, clock })).toBe(true);
    await eventually("the connection", () => sources.length === 1);
    expect(sources).toEqual(["127.0.0.9"]);
    server.close();
    await once(server, "close");
    expect(await reachTarget(open, { withinMs: 1_000, clock })).toBe(true);
  });

  it("does not answer from an address that this machine does not have", async () => {
    expect(await reachTarget(open, { from: "192.0.2.7", withinMs: 1_000, clock })).toBe(false);
  });

  it("is waited for no longer than said, and not after whoever asks has gone", async () => {
    const atOnce = (_: number, action: () => void) => {
      action();
      return () => {};
    };
    const hasty = { nowMs: () => 0, monotonicMs: () => 0, after: atOnce };
    expect(await reachTarget(open, { withinMs: 1_000, clock: hasty })).toBe(false);
    const gone = new AbortController();
    const asked = reachTarget(open, { withinMs: 1_000, clock, signal: gone.signal });
    gone.abort();
    expect(await asked).toBe(false);
    expect(await reachTarget(open, { withinMs: 1_000, clock, signal: gone.signal })).toBe(false);
  });
});

describe("the first of several to answer", () => {
  it("is named, whatever becomes of the others", async () => {
    expect(await firstToAnswer([UNREACHABLE, open], { from: "127.0.0.9", withinMs: 1_000, clock })).toBe(open);
  });

  it("is nobody where there is none", async () => {
    expect(await firstToAnswer([], { withinMs: 1_000, clock })).toBeUndefined();
    expect(await firstToAnswer([open], { from: "192.0.2.7", withinMs: 1_000, clock })).toBeUndefined();
  });
});
