import { describe, expect, it } from "vitest";
import { clientSchema } from "../../src-shared/model/client.ts";
import { ClientList } from "./client-list.ts";
import type { ClientFacts, ClientRecord } from "./client-record.ts";

const NOW = Date.UTC(2026, 0, 1);

function record(hostNumber: number, changes: Partial<ClientRecord> = {}): ClientRecord {
  return {
    id: `c${hostNumber}`,
    name: `Client ${hostNumber}`,
    publicKey: "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=",
    presharedKey: "",
    hostNumber,
    createdAtMs: 0,
    paused: false,
    rxBytes: 0,
    txBytes: 0,
    lastHandshakeAtMs: null,
    ...changes,
  };
}

function rig() {
  const world = {
    records: [record(2, { lastHandshakeAtMs: NOW }), record(3)],
    prefixes: { ipv4: "10.66.0.0/16", ipv6: null as string | null },
    nowMs: NOW,
    live: {} as NonNullable<ClientFacts["live"]>,
    limits: {} as NonNullable<ClientFacts["limits"]>,
  };
  const list = new ClientList({
    records: () => world.records,
    prefixes: () => ({ ...world.prefixes }),
    nowMs: () => world.nowMs,
    live: () => ({ ...world.live }),
    limits: () => ({ ...world.limits }),
  });
  return { world, list };
}

describe("ClientList", () => {
  it("is the same array with the same clients where nothing has changed", () => {
    const { world, list } = rig();
    const first = list.current();
    world.nowMs += 1_000;
    expect(list.current()).toBe(first);
  });

  it("makes only the client anew of whom something has changed", () => {
    const { world, list } = rig();
    const [first, second] = list.current();
    world.records = [record(2, { lastHandshakeAtMs: NOW, rxBytes: 10 }), ...world.records.slice(1)];
    const [changed, same] = list.current();
    expect(changed?.usage.rxBytes).toBe(10);
    expect(changed).not.toBe(first);
    expect(same).toBe(second);
  });

  it("shows rate and way of those who are connected, and of nobody else", () => {
    const { world, list } = rig();
    world.live = { rate: { rxBytesPerSecond: 5, txBytesPerSecond: 6 }, way: "relay" };
    const [connected, away] = list.current().map((client) => clientSchema.parse(client));
    expect(connected).toMatchObject({ connected: true, rate: { rxBytesPerSecond: 5 }, way: "relay" });
    expect(away).not.toHaveProperty("rate");
    expect(away).not.toHaveProperty("way");
    world.live = {};
    expect(list.current()[0]).not.toHaveProperty("rate");
  });

  it("notices time that passes, limits, other prefixes, and who is gone", () => {
    const { world, list } = rig();
    list.current();
    world.nowMs += 180_000;
    expect(list.current()[0]?.connected).toBe(false);
    world.limits = { limit: { down: "1mbit", state: "limited" } as never };
    expect(list.current()[1]?.limit).toMatchObject({ down: "1mbit" });
    world.prefixes = { ipv4: "10.77.0.0/16", ipv6: "fd00::/64" };
    expect(list.current()[1]?.addresses).toEqual(["10.77.0.3", "fd00::3"]);
    world.records = world.records.slice(1);
    expect(list.current().map(({ id }) => id)).toEqual(["c3"]);
  });
});
