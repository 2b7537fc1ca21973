import { describe, expect, it } from "vitest";
import type { ObservedPeer, ObservedWireguard } from "../../src-shared/network-observation.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { PeerMeter } from "./peer-meter.ts";

function peer(publicKey: string, rxBytes: number, txBytes: number, endpoint: string | null = null): ObservedPeer {
  return { publicKey, endpoint, allowedIps: ["10.66.0.2/32"], latestHandshakeAtMs: null, rxBytes, txBytes };
}

function present(...peers: ObservedPeer[]): ObservedWireguard {
  return {
    state: "present",
    implementation: "kernel",
    up: true,
    mtu: 1420,
    addresses: [],
    listenPort: 51820,
    publicKey: "k",
    peers,
  };
}

function rig() {
  const clock = new FakeClock();
  const meter = new PeerMeter(clock);
  return { clock, meter };
}

describe("PeerMeter", () => {
  it("says nothing of the first reading, whose counters may be of an earlier run", () => {
    const { meter } = rig();
    expect(meter.read(present(peer("a", 5_000, 9_000)))).toBeUndefined();
    expect(meter.liveOf("a")).toEqual({});
  });

  it("tells what passed since the reading before, of each guest and of all", async () => {
    const { clock, meter } = rig();
    meter.read(present(peer("a", 100, 200), peer("b", 0, 0)));
    await clock.advance(2_000);
    const reading = meter.read(present(peer("a", 1_100, 4_200), peer("b", 500, 0)));
    expect(reading).toEqual({ seconds: 2, rxBytes: 1_500, txBytes: 4_000 });
    expect(meter.liveOf("a")).toEqual({ rate: { rxBytesPerSecond: 500, txBytesPerSecond: 2_000 } });
    expect(meter.liveOf("b")).toEqual({ rate: { rxBytesPerSecond: 250, txBytesPerSecond: 0 } });
  });

  it("leaves a reading that comes too soon for the next one", async () => {
    const { clock, meter } = rig();
    meter.read(present(peer("a", 0, 0)));
    await clock.advance(300);
    expect(meter.read(present(peer("a", 900, 0)))).toBeUndefined();
    await clock.advance(1_700);
    expect(meter.read(present(peer("a", 2_000, 0)))).toEqual({ seconds: 2, rxBytes: 2_000, txBytes: 0 });
  });

  it("counts from 0 where a peer or the interface was made anew", async () => {
    const { clock, meter } = rig();
    meter.read(present(peer("a", 10_000, 10_000)));
    await clock.advance(2_000);
    expect(meter.read(present(peer("a", 50, 20_000)))).toMatchObject({ rxBytes: 50, txBytes: 20_000 });
    meter.read({ state: "absent" });
    expect(meter.liveOf("a")).toEqual({});
    await clock.advance(2_000);
    expect(meter.read(present(peer("a", 70, 7)))).toMatchObject({ rxBytes: 70, txBytes: 7 });
  });

  it("makes no mean over a pause", async () => {
    const { clock, meter } = rig();
    meter.read(present(peer("a", 0, 0)));
    await clock.advance(3_600_000);
    expect(meter.read(present(peer("a", 9_000_000, 0)))).toBeUndefined();
    expect(meter.liveOf("a")).toEqual({});
  });

  it("knows who comes through the relay, which speaks to WireGuard from loopback", () => {
    const { meter } = rig();
    meter.read(
      present(
        peer("relayed", 0, 0, "127.0.0.1:40123"),
        peer("direct", 0, 0, "203.0.113.7:51820"),
        peer("direct6", 0, 0, "[2001:db8::7]:51820"),
        peer("unheard", 0, 0),
      ),
    );
    expect(["relayed", "direct", "direct6", "unheard"].map((key) => meter.liveOf(key).way)).toEqual([
      "relay",
      "direct",
      "direct",
      undefined,
    ]);
  });

  it("does not count the relay's probe, which has no addresses", async () => {
    const { clock, meter } = rig();
    const probe = { ...peer("p", 0, 0, "203.0.113.9:1"), allowedIps: [] };
    meter.read(present(probe));
    await clock.advance(2_000);
    expect(meter.read(present({ ...probe, rxBytes: 148 }))).toMatchObject({ rxBytes: 0 });
    expect(meter.liveOf("p")).toEqual({});
  });
});
