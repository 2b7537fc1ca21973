import { describe, expect, it } from "vitest";
import { unwrap } from "../../src-shared/result.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { silentLogger } from "../logs/testing/recording-log.ts";
import { IgdPinholeClient } from "./igd-pinhole-client.ts";
import type { Mapping, MappingRequest } from "./mapping.ts";
import { MappingJournal } from "./mapping-journal.ts";
import { PortForwardingService } from "./port-forwarding-service.ts";
import { FakeIpv6Router, NETWORK_IPV6 } from "./testing/fake-ipv6-router.ts";

const REQUEST: MappingRequest = {
  transport: "udp",
  internalPort: 51820,
  externalPort: 51820,
  lifetimeSeconds: 7_200,
  description: "HiggsNode",
};

function rig() {
  const clock = new FakeClock();
  const router = new FakeIpv6Router(clock);
  router.speaksUpnp = true;
  const { signal } = new AbortController();
  const newClient = () => new IgdPinholeClient({ io: router.io, network: NETWORK_IPV6 });
  return { clock, router, signal, client: newClient(), newClient };
}

/** Lets a search end that nobody answers usefully. */
async function searched<T>(clock: FakeClock, asked: Promise<T>): Promise<T> {
  await clock.advance(5_000);
  return asked;
}

describe("openings in the router's IPv6 firewall by UPnP", () => {
  it("are made for this machine's own address, known by name, and closed", async () => {
    const { router, signal, client } = rig();
    const intents: Mapping[] = [];
    const mapping = unwrap(await client.map(REQUEST, { signal, onIntent: (intent) => intents.push(intent) }));
    expect(mapping).toMatchObject({
      protocol: "upnp",
      externalAddress: NETWORK_IPV6.address,
      externalPort: 51820,
      lifetimeSeconds: 7_200,
      pinhole: { id: 1 },
    });
    expect(intents).toMatchObject([{ pinhole: { id: null } }]);
    expect(router.pinholes.get(1)).toEqual({ client: NETWORK_IPV6.address, port: 51820, leaseSeconds: 7_200 });
    unwrap(await client.verify(mapping, signal));
    unwrap(await client.unmap(mapping, signal));
    expect(router.pinholes.size).toBe(0);
    expect(await client.verify(mapping, signal)).toMatchObject({ error: { code: "mapping-lost" } });
    unwrap(await client.unmap(mapping, signal));
  });

  it("are renewed by their name, and made anew where the router has forgotten it", async () => {
    const { router, signal, client } = rig();
    const former = unwrap(await client.map(REQUEST, { signal }));
    unwrap(await client.map({ ...REQUEST, lifetimeSeconds: 3_600 }, { signal, former }));
    expect(router.pinholes.get(1)?.leaseSeconds).toBe(3_600);
    expect(router.actions).toEqual(["GetFirewallStatus", "AddPinhole", "UpdatePinhole"]);
    router.restart();
    expect(unwrap(await client.map(REQUEST, { signal, former }))).toMatchObject({ pinhole: { id: 1 } });
    expect(router.pinholes.size).toBe(1);
  });

  it("are asked for again where the router does not know how to renew", async () => {
    const { router, signal, client } = rig();
    const former = unwrap(await client.map(REQUEST, { signal }));
    router.errors.set("UpdatePinhole", 401);
    expect(unwrap(await client.map(REQUEST, { signal, former })).pinhole).toEqual({ id: 1 });
    expect(router.actions.at(-1)).toBe("AddPinhole");
  });

  it("are closed from what was written down before the router named them, as after a crash", async () => {
    const { router, signal, client, newClient } = rig();
    const intents: Mapping[] = [];
    unwrap(await client.map(REQUEST, { signal, onIntent: (intent) => intents.push(intent) }));
    for (const intent of intents) unwrap(await newClient().unmap(intent, signal));
    expect(router.pinholes.size).toBe(0);
  });

  it("are closed by the next run although nothing is shared then", async () => {
    const { clock, router, signal, client } = rig();
    const logger = silentLogger();
    const journal = new MappingJournal({ kv: { get: () => undefined, set: () => {} }, clock, logger });
    unwrap(await client.map(REQUEST, { signal, onIntent: (intent) => journal.note(intent) }));
    const next = new PortForwardingService({ io: router.io, journal, logger });
    await next.releaseLeftovers();
    expect([router.pinholes.size, journal.entries(), clock.pending]).toEqual([0, [], 0]);
  });

  it("of other programs are left alone where the router gave them the name again after a restart", async () => {
    const { router, signal, client, newClient } = rig();
    const mapping = unwrap(await client.map(REQUEST, { signal }));
    router.restart();
    router.pinholes.set(1, { client: NETWORK_IPV6.address, port: 6_881, leaseSeconds: 600 });
    router.pinholes.set(2, { client: NETWORK_IPV6.address, port: 51_820, leaseSeconds: 600 });
    unwrap(await newClient().unmap(mapping, signal));
    expect([...router.pinholes.keys()]).toEqual([1]);
  });

  it.each([
    [606, "not-authorised"],
    [701, "router-full"],
    [702, "firewall-off"],
    [703, "pinhole-forbidden"],
    [705, "router-error"],
    [401, "router-unsupported"],
    [501, "router-error"],
  ] as const)("fail with UPnP's error %d as %s", async (upnp, code) => {
    const { router, signal, client } = rig();
    router.errors.set("AddPinhole", upnp);
    expect(await client.map(REQUEST, { signal })).toMatchObject({ ok: false, error: { code } });
  });

  it.each([
    [{ FirewallEnabled: "1", InboundPinholeAllowed: "0" }, "pinhole-forbidden"],
    [{ FirewallEnabled: "1", InboundPinholeAllowed: "false" }, "pinhole-forbidden"],
    [{ FirewallEnabled: "0", InboundPinholeAllowed: "0" }, "firewall-off"],
  ])("are not asked for where the router says beforehand that it opens none: %j", async (status, code) => {
    const { router, signal, client } = rig();
    router.status = status;
    expect(await client.map(REQUEST, { signal })).toMatchObject({ error: { code, hint: expect.any(String) } });
    expect(router.actions).toEqual(["GetFirewallStatus"]);
  });

  it("are asked for where the router does not say whether it opens any", async () => {
    const { router, signal, client } = rig();
    router.errors.set("GetFirewallStatus", 401);
    expect(await client.map(REQUEST, { signal })).toMatchObject({ ok: true });
  });

  it.each(["", "x", "-1", "1.5", "70000"])("are not believed in with the name %j", async (id) => {
    const { router, signal, client } = rig();
    unwrap(await client.probe(signal));
    const answer = `<AddPinholeResponse><UniqueID>${id}</UniqueID></AddPinholeResponse>`;
    router.http = { status: 200, body: `<Envelope><Body>${answer}</Body></Envelope>` };
    expect(await client.map(REQUEST, { signal })).toMatchObject({ error: { code: "answer-malformed" } });
  });

  it.each([
    ["a login page", { status: 200, body: "<!DOCTYPE html><html></html>" }, "upnp-not-xml"],
    ["a refusal", { status: 404, body: "" }, "upnp-http-status"],
    ["a device without a firewall", { status: 200, body: "<root><device/></root>" }, "upnp-no-service"],
  ])("fail at %s with a code of its own", async (_, http, code) => {
    const { clock, router, signal, client } = rig();
    router.http = http;
    expect(await searched(clock, client.map(REQUEST, { signal }))).toMatchObject({ error: { code } });
    expect(clock.pending).toBe(0);
  });

  it("are given up at once when nothing is to be opened any more", async () => {
    const { clock, router, client } = rig();
    router.speaksUpnp = false;
    const controller = new AbortController();
    const asked = client.map(REQUEST, { signal: controller.signal });
    await clock.advance(100);
    controller.abort();
    expect(await asked).toMatchObject({ error: { code: "aborted" } });
    expect(clock.pending).toBe(0);
  });
});
