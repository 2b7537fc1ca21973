import { describe, expect, it } from "vitest";
import type { TrafficPoint } from "../../src-shared/model/traffic.ts";
import type { ObservedWireguard } from "../../src-shared/network-observation.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { TrafficMonitor } from "./traffic-monitor.ts";

const TOTALS = { today: { rxBytes: 1, txBytes: 2 }, month: { rxBytes: 3, txBytes: 4 } };

function seen(rxBytes: number): ObservedWireguard {
  const peer = { publicKey: "a", endpoint: null, allowedIps: ["10.66.0.2/32"], latestHandshakeAtMs: null, txBytes: 0 };
  return {
    state: "present",
    implementation: "kernel",
    up: true,
    mtu: 1420,
    addresses: [],
    listenPort: 51820,
    publicKey: "k",
    peers: [{ ...peer, rxBytes }],
  };
}

describe("TrafficMonitor", () => {
  it("tells each point as it is added to the history, and none while nothing is shared", async () => {
    const clock = new FakeClock();
    const points: TrafficPoint[] = [];
    const monitor = new TrafficMonitor({ clock, totals: () => TOTALS, onPoint: (point) => points.push(point) });
    const context = { signal: new AbortController().signal };
    monitor.record({ state: "absent" });
    for (const rxBytes of [0, 8_000, 8_000]) {
      await clock.advance(2_000);
      monitor.record(seen(rxBytes));
    }
    monitor.record({ state: "absent" });
    monitor.record({ state: "absent" });
    expect(points.map(({ rxBytesPerSecond }) => rxBytesPerSecond)).toEqual([0, 4_000, 0]);
    const history = await monitor.handlers["traffic.history"]({ range: "5min" }, context);
    expect(history.points).toEqual(points);
    expect(await monitor.handlers["traffic.totals"]({}, context)).toEqual(TOTALS);
  });
});
