import { describe, expect, it } from "vitest";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { silentLogger } from "../logs/testing/recording-log.ts";
import { MappingJournal } from "../port-forwarding/mapping-journal.ts";
import { FakeIpv6Router } from "../port-forwarding/testing/fake-ipv6-router.ts";
import { Ipv6Pinhole, type PinholeWanted } from "./ipv6-pinhole.ts";

const WANTED: PinholeWanted = {
  address: "2a0a:77::10",
  onLink: "2a0a:77::/64",
  gateway: "2a0a:77::1",
  port: 51820,
};

function rig(kept = new Map<string, unknown>(), former?: FakeIpv6Router) {
  const clock = new FakeClock();
  const router = former ?? new FakeIpv6Router(clock);
  const logger = silentLogger();
  const kv = {
    get: ((key: string) => kept.get(key)) as never,
    set: (key: string, value: unknown) => void kept.set(key, value),
  };
  const journal = new MappingJournal({ kv, clock, logger });
  let hop: string | null = null;
  const pinhole = new Ipv6Pinhole({
    io: { ...router.io, clock },
    journal,
    logger,
    firstHop: async () => hop,
    onChange: () => {},
  });
  return {
    clock,
    kept,
    router,
    journal,
    pinhole,
    tellHop: (text: string) => {
      hop = text;
    },
  };
}

describe("a pinhole for guests over IPv6", () => {
  it("is opened, told with its endpoint, and closed when it is not wanted any more", async () => {
    const { clock, router, journal, pinhole } = rig();
    pinhole.update(WANTED);
    await clock.advance(0);
    expect(pinhole.state).toMatchObject({ state: "open", endpoint: { host: "2a0a:77::10", port: 51820 } });
    expect(router.open.size).toBe(1);
    pinhole.update(undefined);
    await clock.advance(0);
    expect([router.open.size, journal.entries(), pinhole.state.state, clock.pending]).toEqual([0, [], "off", 0]);
  });

  it("is asked for once, and again at half the lifetime", async () => {
    const { clock, router, pinhole } = rig();
    for (let count = 0; count < 3; count++) pinhole.update({ ...WANTED });
    await clock.advance(0);
    expect(router.asked).toHaveLength(1);
    router.open.clear();
    await clock.advance(3_600_000);
    expect(router.open.size).toBe(1);
    expect(pinhole.state.state).toBe("open");
    await pinhole.dispose();
    expect([router.open.size, clock.pending]).toEqual([0, 0]);
  });

  it("is taken over from a run that ended without closing it", async () => {
    const first = rig();
    first.pinhole.update(WANTED);
    await first.clock.advance(0);
    const second = rig(first.kept, first.router);
    second.pinhole.update(WANTED);
    await second.clock.advance(0);
    expect(second.pinhole.state.state).toBe("open");
    await second.pinhole.dispose();
    expect(first.router.open.size).toBe(0);
  });

  it("is closed with a reason where the router refuses, and asked for again in ten minutes", async () => {
    const { clock, router, pinhole } = rig();
    router.refusesPcp = true;
    pinhole.update(WANTED);
    await clock.advance(5_000);
    expect(pinhole.state).toMatchObject({ state: "closed", reason: { code: "not-authorised" } });
    router.refusesPcp = false;
    await clock.advance(10 * 60_000);
    expect(pinhole.state.state).toBe("open");
    await pinhole.dispose();
  });

  it("is asked of the first hop where the gateway is known by its link-local address, and of nobody beyond the home", async () => {
    const { clock, router, pinhole, tellHop } = rig();
    pinhole.update({ ...WANTED, gateway: "fe80::1" });
    await clock.advance(0);
    expect(pinhole.state).toMatchObject({ state: "closed", reason: { code: "ipv6-no-router" } });
    tellHop("2a0a:99::1");
    await clock.advance(10 * 60_000);
    expect(router.asked).toEqual([]);
    tellHop("2a0a:77::1");
    await clock.advance(10 * 60_000);
    expect(router.asked[0]).toMatchObject({ address: "2a0a:77::1" });
    expect(pinhole.state.state).toBe("open");
    await pinhole.dispose();
  });

  it("is opened by UPnP where the router does not speak PCP, renewed by name at half the lease, and closed", async () => {
    const { clock, router, journal, pinhole } = rig();
    Object.assign(router, { speaksPcp: false, speaksUpnp: true });
    pinhole.update(WANTED);
    await clock.advance(0);
    const leaseEndsAt = new Date(clock.nowMs() + 7_200_000).toISOString();
    expect(pinhole.state).toMatchObject({
      state: "open",
      protocol: "upnp",
      endpoint: { host: "2a0a:77::10", port: 51820 },
      leaseEndsAt,
    });
    expect(journal.entries()).toMatchObject([{ protocol: "upnp", pinhole: { id: 1 } }]);
    await clock.advance(3_600_000);
    expect(router.actions.filter((action) => action !== "GetPinholePackets")).toEqual([
      "GetFirewallStatus",
      "AddPinhole",
      "UpdatePinhole",
    ]);
    expect(pinhole.state).toMatchObject({
      state: "open",
      leaseEndsAt: new Date(clock.nowMs() + 7_200_000).toISOString(),
    });
    pinhole.update(undefined);
    await clock.advance(0);
    expect([router.pinholes.size, journal.entries(), pinhole.state.state, clock.pending]).toEqual([0, [], "off", 0]);
  });

  it("is asked for by UPnP where PCP is spoken and refused, and tells the more telling of two refusals", async () => {
    const { clock, router, pinhole } = rig();
    Object.assign(router, { refusesPcp: true, speaksUpnp: true });
    router.status = { FirewallEnabled: "1", InboundPinholeAllowed: "0" };
    pinhole.update(WANTED);
    await clock.advance(0);
    expect(pinhole.state).toMatchObject({ state: "closed", reason: { code: "pinhole-forbidden" } });
    router.status.InboundPinholeAllowed = "1";
    await clock.advance(10 * 60_000);
    expect(pinhole.state).toMatchObject({ state: "open", protocol: "upnp" });
    await pinhole.dispose();
  });

  it.each([true, false])("is opened again within ten minutes of the router's restart (PCP: %s)", async (speaksPcp) => {
    const { clock, router, pinhole } = rig();
    Object.assign(router, { speaksPcp, speaksUpnp: !speaksPcp });
    pinhole.update(WANTED);
    await clock.advance(60_000);
    router.restart();
    await clock.advance(10 * 60_000);
    expect([router.open.size + router.pinholes.size, pinhole.state.state]).toEqual([1, "open"]);
    await pinhole.dispose();
    expect([router.open.size + router.pinholes.size, clock.pending]).toEqual([0, 0]);
  });

  it("of an earlier run is closed by UPnP too, although the port is another by now", async () => {
    const first = rig();
    Object.assign(first.router, { speaksPcp: false, speaksUpnp: true });
    first.pinhole.update(WANTED);
    await first.clock.advance(0);
    const second = rig(first.kept, first.router);
    second.pinhole.update({ ...WANTED, port: 51_999 });
    await second.clock.advance(0);
    expect([...first.router.pinholes.values()]).toMatchObject([{ port: 51_999 }]);
    await second.pinhole.dispose();
    expect(first.router.pinholes.size).toBe(0);
  });

  it("that the router refuses to close stays in the journal until its lease ends, and keeps nobody waiting", async () => {
    const { clock, router, journal, pinhole } = rig();
    Object.assign(router, { speaksPcp: false, speaksUpnp: true });
    pinhole.update(WANTED);
    await clock.advance(0);
    router.errors.set("DeletePinhole", 606);
    await pinhole.dispose();
    expect(journal.entries()).toHaveLength(1);
    await clock.advance(7_200_000);
    expect(journal.entries()).toEqual([]);
  });
});
