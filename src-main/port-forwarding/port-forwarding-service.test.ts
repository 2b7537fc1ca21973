import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { z } from "zod";
import type { HiggsError } from "../../src-shared/result.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { silentLogger } from "../logs/testing/recording-log.ts";
import { MappingJournal } from "./mapping-journal.ts";
import { PROBE_EVERY_MS } from "./mapping-keeper.ts";
import { PortForwardingService } from "./port-forwarding-service.ts";
import { FakeRouter, NETWORK } from "./testing/fake-router.ts";

const PORT = 51820;
const HOUR_MS = 60 * 60_000;

let clock: FakeClock;
let router: FakeRouter;
let disk: Map<string, unknown>;
let service: PortForwardingService;

function newService(): PortForwardingService {
  const logger = silentLogger();
  const kv = {
    get: <T>(key: string, schema: z.ZodType<T>) => schema.safeParse(disk.get(key)).data,
    set: (key: string, value: unknown) => void disk.set(key, structuredClone(value)),
  };
  return new PortForwardingService({ io: router.io, journal: new MappingJournal({ kv, clock, logger }), logger });
}

beforeEach(() => {
  clock = new FakeClock();
  router = new FakeRouter(clock);
  disk = new Map();
  service = newService();
});

afterEach(async () => {
  const ended = service.cleanup();
  await clock.advance(10_000);
  await ended;
  expect(clock.pending).toBe(0);
  expect(router.openSockets).toBe(0);
});

async function share(): Promise<void> {
  service.initialize(NETWORK);
  void service.addPortMapping({ internalPort: PORT });
  await clock.advance(100);
}

describe("PortForwardingService", () => {
  it("maps by PCP where the router speaks it, and says what else it speaks", async () => {
    await share();
    await clock.advance(4_000);
    expect(service.state).toMatchObject({
      state: "mapped",
      protocol: "pcp",
      gateway: NETWORK.gateway,
      external: { host: "203.0.113.7", port: PORT },
      internalPort: PORT,
      fallbacks: ["nat-pmp"],
    });
    expect(service.mappings).toMatchObject([{ protocol: "pcp", externalPort: PORT }]);
    expect(await service.getExternalIP(new AbortController().signal)).toEqual({ ok: true, value: "203.0.113.7" });
  });

  it("maps by NAT-PMP where the router speaks no PCP", async () => {
    router.manner = "nat-pmp";
    await share();
    expect(service.state).toMatchObject({ state: "mapped", protocol: "nat-pmp", external: { port: PORT } });
  });

  it("falls back to NAT-PMP where PCP refuses to map", async () => {
    router.refuses = 2;
    await share();
    await clock.advance(4_000);
    expect(service.state).toMatchObject({ state: "unavailable", reason: { code: "not-authorised" } });
    expect(router.requests(0, 1).length).toBeGreaterThan(0);
    router.refuses = 0;
  });

  it("takes the port the router gives instead, and asks for that one ever after", async () => {
    router.taken.add(PORT);
    await share();
    expect(service.state).toMatchObject({ state: "mapped", external: { port: 60_000 }, internalPort: PORT });
    const ended = service.cleanup();
    await clock.advance(100);
    await ended;
    router.taken.clear();
    service = newService();
    await share();
    expect(service.state).toMatchObject({ state: "mapped", external: { port: 60_000 } });
  });

  it("renews at half the lifetime, give or take a twentieth, with the same nonce", async () => {
    await share();
    const [first] = router.requests(2, 1);
    await clock.advance(0.94 * HOUR_MS);
    expect(router.requests(2, 1)).toHaveLength(1);
    await clock.advance(0.12 * HOUR_MS);
    const [, second] = router.requests(2, 1);
    expect(second?.subarray(24, 42)).toEqual(first?.subarray(24, 42));
    await clock.advance(10 * HOUR_MS);
    expect(router.requests(2, 1).length).toBeLessThanOrEqual(12);
    expect(service.state.state).toBe("mapped");
  });

  it("does not flood a router that grants a second", async () => {
    router.lifetimeSeconds = 1;
    await share();
    await clock.advance(HOUR_MS);
    expect(router.requests(2, 1).length).toBeLessThan(140);
  });

  it.each([true, false])("maps again after a restart of the router, announced: %s", async (announce) => {
    await share();
    await clock.advance(60_000);
    router.restart({ announce });
    await clock.advance(announce ? 5_000 : 1.06 * PROBE_EVERY_MS);
    expect(router.mapped.get(PORT)).toBe(PORT);
    expect(service.state.state).toBe("mapped");
  });

  it("follows the router to another address", async () => {
    await share();
    await clock.advance(60_000);
    router.externalAddress = [203, 0, 113, 99];
    router.restart();
    await clock.advance(5_000);
    expect(service.state).toMatchObject({ state: "mapped", external: { host: "203.0.113.99", port: PORT } });
  });

  it("gives a mapping up whose router refuses to renew it, and says why", async () => {
    await share();
    router.refuses = 2;
    await clock.advance(1.1 * HOUR_MS);
    expect(service.state).toMatchObject({ state: "unavailable", reason: { code: "not-authorised" } });
  });

  it("keeps a mapping whose router is silent until its lease ends", async () => {
    await share();
    router.manner = "silent";
    await clock.advance(1.9 * HOUR_MS);
    expect(service.state.state).toBe("mapped");
    await clock.advance(0.2 * HOUR_MS);
    expect(service.state.state).toBe("unavailable");
  });

  it("lets nobody wait for a slow router longer than five seconds", async () => {
    router.manner = "silent";
    service.initialize(NETWORK);
    void service.addPortMapping({ internalPort: PORT });
    let told = false;
    void service.known().then(() => {
      told = true;
    });
    await clock.advance(2_000);
    expect(told).toBe(false);
    await clock.advance(3_000);
    expect(told).toBe(true);
  });

  it("believes announcements of the router only", async () => {
    await share();
    await clock.advance(60_000);
    const before = router.sent.length;
    router.announce("192.168.1.66");
    router.announce(NETWORK.gateway, 4_000);
    await clock.advance(5_000);
    expect(router.sent.length).toBe(before);
  });

  it("answers a thousand forged announcements with a renewal a second at most", async () => {
    await share();
    await clock.advance(60_000);
    const before = router.sent.length;
    for (let index = 0; index < 1_000; index++) {
      router.announce(NETWORK.gateway);
      await clock.advance(10);
    }
    expect(router.sent.length - before).toBeLessThanOrEqual(12);
  });

  it("is told by events that no router forwards, once for each reason", async () => {
    const reasons: HiggsError[] = [];
    service.on("unavailable", (reason) => reasons.push(reason));
    router.manner = "refusing";
    await share();
    expect(reasons.map(({ code }) => code)).toEqual(["router-refused"]);
    await clock.advance(3 * PROBE_EVERY_MS);
    expect(reasons).toHaveLength(1);
    expect(service.state).toMatchObject({ state: "unavailable", reason: { hint: expect.stringContaining("UPnP") } });
  });

  it("gives up on a silent router within 4 s, and finds one that was switched on later", async () => {
    router.manner = "silent";
    await share();
    await clock.advance(3_900);
    expect(service.state).toMatchObject({ state: "unavailable", reason: { code: "router-silent" } });
    router.manner = "pcp";
    await clock.advance(1.2 * PROBE_EVERY_MS);
    expect(service.state.state).toBe("mapped");
  });

  it("sends one round of probes in ten minutes to a silent router, and nothing between", async () => {
    router.manner = "silent";
    await share();
    await clock.advance(4_000);
    const round = router.sent.length;
    expect(round).toBeLessThanOrEqual(14);
    await clock.advance(HOUR_MS - 4_000);
    const rounds = router.sent.length / round;
    expect(rounds).toBeGreaterThanOrEqual(5);
    expect(rounds).toBeLessThanOrEqual(7);
  });

  it("sends at most one packet in ten minutes beside the renewals while the port is mapped", async () => {
    await share();
    await clock.advance(4_000);
    const settled = router.sent.length;
    await clock.advance(HOUR_MS - 4_000);
    expect(router.sent.length - settled).toBeLessThanOrEqual(7);
  });

  it("releases and probes anew in another network, once", async () => {
    await share();
    await clock.advance(4_000);
    const before = router.sent.length;
    service.initialize({ gateway: "192.168.1.1", address: "192.168.1.21", lanPrefix: "192.168.1.0/24" });
    await clock.advance(4_000);
    expect(service.state).toMatchObject({ state: "mapped" });
    expect(service.mappings).toMatchObject([{ address: "192.168.1.21" }]);
    const lifetimes = router.requests(2, 1).map((message) => message.readUInt32BE(4));
    expect(lifetimes).toEqual([7_200, 0, 7_200]);
    const after = router.sent.length;
    expect(after - before).toBeLessThanOrEqual(14);
    for (let index = 0; index < 50; index++) {
      service.initialize({ gateway: "192.168.1.1", address: "192.168.1.21", lanPrefix: "192.168.1.0/24" });
      await clock.advance(1_000);
    }
    expect(router.sent.length).toBe(after);
  });

  it("says so where there is no router, and maps as soon as there is one", async () => {
    service.initialize(null);
    expect(await service.addPortMapping({ internalPort: PORT })).toMatchObject({
      ok: false,
      error: { code: "no-gateway" },
    });
    expect(service.state).toMatchObject({ state: "unavailable", nextProbeAt: null });
    service.initialize(NETWORK);
    await clock.advance(100);
    expect(service.state.state).toBe("mapped");
  });

  it("looks after the mapping at once when the machine has slept", async () => {
    await share();
    await clock.advance(60_000);
    router.restart({ announce: false });
    clock.jumpWallClock(8 * HOUR_MS);
    service.initialize(NETWORK);
    await clock.advance(5_000);
    expect(router.mapped.get(PORT)).toBe(PORT);
  });

  it("deletes the mapping when it is no longer wanted", async () => {
    await share();
    await service.removePortMapping({ internalPort: PORT });
    expect(router.mapped.size).toBe(0);
    expect(service.state).toEqual({ state: "off" });
  });

  it("sends nothing at all before it is told a port, and nothing after the cleanup", async () => {
    service.initialize(NETWORK);
    await clock.advance(HOUR_MS);
    expect(router.sent).toEqual([]);
    await share();
    await clock.advance(4_000);
    await service.cleanup();
    const { length } = router.sent;
    await clock.advance(HOUR_MS);
    expect(router.sent).toHaveLength(length);
  });

  it("deletes what a killed run has left before it maps anew", async () => {
    await share();
    const killed = service;
    service = newService();
    service.initialize(NETWORK);
    void service.addPortMapping({ internalPort: 51999 });
    await clock.advance(4_000);
    expect([...router.mapped.keys()]).toEqual([51999]);
    await killed.cleanup();
  });

  it("deletes what a killed run has left although nothing is wanted", async () => {
    await share();
    const killed = service;
    service = newService();
    await service.releaseLeftovers();
    expect(router.mapped.size).toBe(0);
    await killed.cleanup();
  });

  it("keeps in mind what could not be deleted, until the router is back", async () => {
    await share();
    await clock.advance(4_000);
    router.manner = "silent";
    const ended = service.cleanup();
    await clock.advance(5_000);
    await ended;
    router.manner = "pcp";
    expect(router.mapped.size).toBe(1);
    service = newService();
    service.initialize(NETWORK);
    void service.addPortMapping({ internalPort: 51999 });
    await clock.advance(4_000);
    expect([...router.mapped.keys()]).toEqual([51999]);
  });

  it("quits within two seconds although the router is gone, in whatever state it is", async () => {
    router.manner = "silent";
    for (const waitMs of [0, 100, 2_000, 5_000]) {
      service.initialize(NETWORK);
      void service.addPortMapping({ internalPort: PORT });
      await clock.advance(waitMs);
      let ended = false;
      void service.cleanup().then(() => {
        ended = true;
      });
      await clock.advance(2_000);
      expect(ended, `after ${waitMs} ms`).toBe(true);
    }
  });
});
