import { afterEach, describe, expect, it } from "vitest";
import { FakeIgd, type FakeIgdOptions } from "../../e2e/lab/servers/fake-igd.ts";
import { type Clock, systemClock } from "../../src-shared/clock.ts";
import { unwrap } from "../../src-shared/result.ts";
import type { HomeNetwork, Mapping, MappingRequest } from "./mapping.ts";
import { systemIo } from "./mapping-io.ts";
import { UpnpClient } from "./upnp-client.ts";

const NETWORK: HomeNetwork = { gateway: "127.0.0.1", address: "127.0.0.1", lanPrefix: null };
const REQUEST: MappingRequest = {
  transport: "udp",
  internalPort: 51820,
  externalPort: 51820,
  lifetimeSeconds: 3_600,
  description: "HiggsNode",
};
const RIVAL = { internalClient: "127.0.0.9", internalPort: 51820, leaseSeconds: 0 };

/** Five times as fast: what waits for a device that never comes would take most of the tests' time. */
const hastyClock: Clock = { ...systemClock, after: (delayMs, action) => systemClock.after(delayMs / 5, action) };

const fakes: FakeIgd[] = [];
afterEach(async () => {
  for (const fake of fakes.splice(0)) await fake.close();
});

async function fakeRouter(options: Partial<FakeIgdOptions> = {}) {
  const fake = await FakeIgd.start({
    address: "127.0.0.1",
    httpPort: 0,
    ssdpPort: 0,
    version: 1,
    fault: "ok",
    externalAddress: "11.22.33.2",
    ...options,
  });
  fakes.push(fake);
  return {
    fake,
    client: new UpnpClient({ io: systemIo(hastyClock), network: NETWORK, ports: { ssdp: fake.ssdpPort } }),
  };
}

const never = () => new AbortController().signal;

describe("UpnpClient", () => {
  it.each([1, 2] as const)("maps, verifies and deletes with IGD version %d", async (version) => {
    const { fake, client } = await fakeRouter({ version });
    const mapping = unwrap(await client.map(REQUEST, { signal: never() }));
    expect(mapping).toMatchObject({
      protocol: "upnp",
      externalAddress: "11.22.33.2",
      externalPort: 51820,
      lifetimeSeconds: 3_600,
    });
    expect(fake.entries.get("UDP 51820")).toEqual({
      internalClient: "127.0.0.1",
      internalPort: 51820,
      leaseSeconds: 3_600,
    });
    unwrap(await client.verify(mapping, never()));
    unwrap(await client.unmap(mapping, never()));
    expect(fake.entries.size).toBe(0);
    expect(await client.verify(mapping, never())).toMatchObject({ error: { code: "mapping-lost" } });
    unwrap(await client.unmap(mapping, never()));
  });

  it.each([1, 2] as const)(
    "takes another external port where the wanted one is somebody else's, version %d",
    async (version) => {
      const { fake, client } = await fakeRouter({ version });
      fake.entries.set("UDP 51820", RIVAL);
      const mapping = unwrap(await client.map(REQUEST, { signal: never() }));
      expect(mapping.externalPort).not.toBe(51820);
      expect(fake.entries.get(`UDP ${mapping.externalPort}`)?.internalClient).toBe("127.0.0.1");
      expect(fake.entries.get("UDP 51820")).toEqual(RIVAL);
    },
  );

  it("deletes nothing that has become somebody else's", async () => {
    const { fake, client } = await fakeRouter();
    const mapping = unwrap(await client.map(REQUEST, { signal: never() }));
    fake.entries.set("UDP 51820", RIVAL);
    unwrap(await client.unmap(mapping, never()));
    expect(fake.entries.get("UDP 51820")).toEqual(RIVAL);
  });

  it("takes a permanent mapping where the router knows no other, and tells so before it asks", async () => {
    const { fake, client } = await fakeRouter({ fault: "permanent-only" });
    const intents: Mapping[] = [];
    const mapping = unwrap(await client.map(REQUEST, { signal: never(), onIntent: (intent) => intents.push(intent) }));
    expect(mapping.lifetimeSeconds).toBe(0);
    expect(fake.entries.get("UDP 51820")?.leaseSeconds).toBe(0);
    expect(intents.map(({ lifetimeSeconds }) => lifetimeSeconds)).toEqual([3_600, 0]);
  });

  it("deletes from what was written down alone, as after a crash", async () => {
    const { fake, client } = await fakeRouter();
    const mapping = unwrap(await client.map(REQUEST, { signal: never() }));
    const next = new UpnpClient({ io: systemIo(), network: NETWORK });
    unwrap(await next.unmap(mapping, never()));
    expect(fake.entries.size).toBe(0);
  });

  it.each([
    ["conflict", "port-conflict"],
    ["unauthorised", "not-authorised"],
    ["failed", "router-error"],
    ["html", "upnp-not-xml"],
    ["bomb", "upnp-not-xml"],
    ["huge", "upnp-too-large"],
    ["foreign", "upnp-foreign-address"],
    ["redirect", "upnp-http-status"],
    ["stall", "upnp-stalled"],
    ["stall-control", "upnp-stalled"],
  ] as const)("gives a router with the fault %s up with %s", async (fault, code) => {
    const { fake, client } = await fakeRouter({ fault });
    expect(await client.map(REQUEST, { signal: never() })).toMatchObject({ ok: false, error: { code } });
    expect(fake.actions.length).toBeLessThan(24);
  });

  it("says that there is no public address where a router without one fails", async () => {
    const { client } = await fakeRouter({ fault: "failed", externalAddress: "" });
    expect(await client.map(REQUEST, { signal: never() })).toMatchObject({ error: { code: "no-public-address" } });
  });

  it("is refused at once by a machine on which nothing listens, and goes on listening for others", async () => {
    const { fake } = await fakeRouter();
    const { ssdpPort } = fake;
    await fakes.pop()?.close();
    const controller = new AbortController();
    const refused = Promise.withResolvers<void>();
    const client = new UpnpClient({
      io: systemIo(),
      network: { ...NETWORK, lanPrefix: "127.0.0.0/8" },
      onRefused: refused.resolve,
      ports: { ssdp: ssdpPort },
    });
    let isOver = false;
    const probed = client.probe(controller.signal).finally(() => {
      isOver = true;
    });
    await refused.promise;
    await new Promise((resolve) => setImmediate(resolve));
    expect(isOver).toBe(false);
    controller.abort();
    expect(await probed).toMatchObject({ error: { code: "aborted" } });
  });

  it("asks nobody else where the network is not known, and gives up as soon as the router refuses", async () => {
    const { fake } = await fakeRouter();
    const { ssdpPort } = fake;
    await fakes.pop()?.close();
    const opened: string[] = [];
    const system = systemIo();
    const open: typeof system.datagrams.open = (local, ...rest) => {
      opened.push(local);
      return system.datagrams.open(local, ...rest);
    };
    const io = { ...system, datagrams: { ...system.datagrams, open } };
    const client = new UpnpClient({ io, network: NETWORK, ports: { ssdp: ssdpPort } });
    expect(await client.probe(never())).toMatchObject({ error: { code: "router-refused" } });
    expect(opened).toEqual([]);
  });

  it.each(["stall", "stall-control"] as const)(
    "lets go at once of a router that stalls (%s) when it is told to",
    async (fault) => {
      const { fake, client } = await fakeRouter({ fault });
      const controller = new AbortController();
      const asked = new Promise<void>((resolve) => {
        fake.onAction = () => resolve();
        if (fault === "stall") systemClock.after(50, resolve);
      });
      const mapped = client.map(REQUEST, { signal: controller.signal });
      await asked;
      controller.abort();
      expect(await mapped).toMatchObject({ error: { code: "aborted" } });
    },
  );
});
