import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LimitChanges } from "../../src-shared/model/limit.ts";
import { DEFAULT_SETTINGS, type Settings, settingsSchema } from "../../src-shared/model/settings.ts";
import { networkSpecSchema } from "../../src-shared/network-spec.ts";
import { unwrap } from "../../src-shared/result.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { sampleSpec } from "../../src-shared/testing/sample-spec.ts";
import type { ClientRecord } from "../clients/client-record.ts";
import { ClientRegistry } from "../clients/client-registry.ts";
import { migrate } from "../storage/migrations.ts";
import { ClientRateLimiter, SOONEST_LOOK_MS } from "./client-rate-limiter.ts";

const PREFIXES = { ipv4: "10.66.0.0/16", ipv6: "fd00:1:2:3::/64" };
const QUOTA = { bytes: 20_000_000, action: "pause", resetDay: 1, timeZone: "UTC" };

let clock: FakeClock;
let db: DatabaseSync;
let registry: ClientRegistry;
let settings: Settings;
let limiter: ClientRateLimiter;
/** What the interface counts for each client. */
let counters: Map<string, number>;
let looks: number;
let told: number;

beforeEach(() => {
  clock = new FakeClock(Date.parse("2026-07-06T12:00:00Z"));
  settings = DEFAULT_SETTINGS;
  db = new DatabaseSync(":memory:");
  migrate(db);
  counters = new Map();
  looks = 0;
  told = 0;
  start();
});

afterEach(() => {
  limiter.cleanup();
  registry.close();
  expect(clock.pending).toBe(0);
  db.close();
});

function start(): void {
  registry = new ClientRegistry({ db, clock, settings: () => settings });
  limiter = new ClientRateLimiter({
    db,
    clock,
    registry,
    settings: () => settings,
    lookAtPeers: async () => {
      looks++;
      count();
    },
  });
  limiter.onChange(() => told++);
}

function count(): void {
  registry.recordUsage(
    registry.list().map(({ id, publicKey }) => ({
      publicKey,
      endpoint: null,
      allowedIps: [],
      latestHandshakeAtMs: clock.nowMs(),
      rxBytes: 0,
      txBytes: counters.get(id) ?? 0,
    })),
  );
}

function add(name: string, changes?: LimitChanges): ClientRecord {
  const client = unwrap(registry.add(name));
  if (changes !== undefined) unwrap(limiter.setClientLimit({ clientId: client.id, ...changes }));
  return client;
}

const contributed = () => limiter.contribute(PREFIXES);

describe("ClientRateLimiter", () => {
  it("contributes nothing while nobody is limited", () => {
    add("Anna");
    expect(contributed()).toEqual({ limits: undefined, cutOff: new Set() });
  });

  it("contributes what the helper accepts, headers allowed for, under the client's own number", () => {
    const anna = add("Anna", { down: "5mbit", up: "2mbit", priority: 7, burstBytes: 20_000 });
    const { limits } = contributed();
    expect(limits).toEqual({
      clients: [
        {
          classId: anna.hostNumber,
          addresses: ["10.66.0.2", "fd00:1:2:3::2"],
          downBitsPerSecond: 5_125_000,
          upBitsPerSecond: 2_050_000,
          burstBytes: 20_000,
          priority: 7,
        },
      ],
    });
    expect(networkSpecSchema.safeParse({ ...sampleSpec(), limits }).success).toBe(true);
  });

  it("keeps the number of a client's class when others come and go", () => {
    const others = ["a", "b", "c"].map((name) => add(name, { down: "1mbit" }));
    const anna = add("Anna", { down: "5mbit" });
    const numberOf = () => contributed().limits?.clients.find(({ addresses }) => addresses[0] === "10.66.0.5")?.classId;
    const before = numberOf();
    for (const { id } of others) unwrap(registry.remove(id));
    expect(numberOf()).toBe(before);
    expect(before).toBe(anna.hostNumber);
    expect(contributed().limits?.clients).toHaveLength(1);
  });

  it("remembers limits over a restart, and forgets those of removed clients", () => {
    const anna = add("Anna", { down: "5mbit" });
    const boris = add("Boris", { down: "6mbit" });
    unwrap(registry.remove(boris.id));
    limiter.cleanup();
    registry.close();
    start();
    expect(limiter.limitOf(anna.id)).toEqual({ down: "5mbit" });
    expect(db.prepare("SELECT count(*) AS n FROM client_limits").get()?.n).toBe(1);
  });

  it("changes nothing when one of several wishes is a mistake", () => {
    const anna = add("Anna", { down: "5mbit" });
    const before = told;
    const refused = limiter.setClientLimit({ clientId: anna.id, down: "9mbit", up: "10mbit; rm -rf /" });
    expect(refused).toMatchObject({ ok: false, error: { code: "rate-invalid" } });
    expect(limiter.limitOf(anna.id)).toEqual({ down: "5mbit" });
    expect(told).toBe(before);
  });

  it("tells nobody when the same is asked for again", () => {
    const anna = add("Anna", { down: "5mbit" });
    const before = told;
    unwrap(limiter.setClientLimit({ clientId: anna.id, down: "5000kbit" }));
    expect(told).toBe(before);
  });

  it("says that a client is unknown", () => {
    expect(limiter.setClientLimit({ clientId: "nobody", down: "5mbit" })).toMatchObject({
      error: { code: "client-unknown" },
    });
    expect(limiter.removeClientLimit("nobody")).toMatchObject({ error: { code: "client-unknown" } });
  });

  it("leaves out who is paused, and who has no address", () => {
    const anna = add("Anna", { down: "5mbit" });
    unwrap(registry.pause(anna.id));
    expect(contributed().limits).toBeUndefined();
    unwrap(registry.resume(anna.id));
    expect(limiter.contribute({ ipv4: "10.66.0.0/31", ipv6: null }).limits).toBeUndefined();
  });
});

describe("a total for all guests", () => {
  it("is what the owner says, in the directions the owner says", () => {
    settings = settingsSchema.parse({ totalRate: "100mbit/-" });
    expect(contributed().limits).toEqual({ total: { downBitsPerSecond: 102_500_000 }, clients: [] });
  });

  it("stays below the uplink where the household comes first, and below the owner's own total", () => {
    settings = settingsSchema.parse({ uplinkRate: "50mbit/10mbit", householdFirst: true, totalRate: "20mbit/20mbit" });
    expect(contributed().limits?.total).toEqual({ downBitsPerSecond: 20_500_000, upBitsPerSecond: 8_200_000 });
    settings = settingsSchema.parse({ uplinkRate: "50mbit/10mbit" });
    expect(contributed().limits).toBeUndefined();
  });

  it("gives a class to a client who has only a priority", () => {
    const anna = add("Anna", { priority: 10 });
    expect(contributed().limits).toBeUndefined();
    settings = settingsSchema.parse({ totalRate: "100mbit/20mbit" });
    expect(contributed().limits?.clients).toMatchObject([{ classId: anna.hostNumber, priority: 10 }]);
  });
});

describe("a quota", () => {
  it("counts from the moment it is set, and cuts off when it is used", () => {
    const anna = add("Anna");
    counters.set(anna.id, 50_000_000);
    count();
    unwrap(limiter.setClientLimit({ clientId: anna.id, quota: QUOTA }));
    expect(limiter.describe(unwrap(registry.find(anna.id))).quota).toMatchObject({
      usedBytes: 0,
      exhausted: false,
      since: "2026-07-01",
    });
    counters.set(anna.id, 69_999_999);
    count();
    expect(contributed().cutOff.size).toBe(0);
    const before = told;
    counters.set(anna.id, 70_000_000);
    count();
    expect(contributed().cutOff).toEqual(new Set([anna.publicKey]));
    expect(told).toBe(before + 1);
  });

  it("slows both ways where that was chosen", () => {
    const anna = add("Anna", { quota: { ...QUOTA, action: { slow: "256kbit" } } });
    counters.set(anna.id, 20_000_000);
    count();
    expect(contributed()).toMatchObject({
      limits: { clients: [{ downBitsPerSecond: 262_000, upBitsPerSecond: 262_000 }] },
      cutOff: new Set(),
    });
  });

  it("begins anew with its month, whether or not the node was running", async () => {
    const anna = add("Anna", { quota: QUOTA });
    counters.set(anna.id, 25_000_000);
    count();
    expect(contributed().cutOff.size).toBe(1);
    limiter.cleanup();
    registry.close();
    clock.jumpWallClock(Date.parse("2026-08-01T00:00:00Z") - clock.nowMs());
    start();
    expect(contributed().cutOff.size).toBe(0);
    clock.jumpWallClock(Date.parse("2026-08-31T23:59:59Z") - clock.nowMs());
    counters.set(anna.id, 50_000_000);
    count();
    expect(contributed().cutOff.size).toBe(1);
    await clock.advance(2_000);
    expect(contributed().cutOff.size).toBe(0);
  });

  it("begins anew while the disk is full, and is saved as begun once it is not", async () => {
    const anna = add("Anna", { quota: QUOTA });
    counters.set(anna.id, 25_000_000);
    count();
    db.exec("CREATE TRIGGER full BEFORE INSERT ON client_limits BEGIN SELECT RAISE(ABORT, 'disk is full'); END");
    clock.jumpWallClock(Date.parse("2026-08-01T00:00:00Z") - clock.nowMs());
    await clock.advance(60_000);
    expect(contributed().cutOff.size).toBe(0);
    db.exec("DROP TRIGGER full");
    await clock.advance(60_000);
    counters.set(anna.id, 50_000_000);
    count();
    limiter.cleanup();
    registry.close();
    start();
    expect(limiter.describe(unwrap(registry.find(anna.id))).quota).toMatchObject({
      usedBytes: 25_000_000,
      since: "2026-08-01",
      exhausted: true,
    });
  });

  it("is not given twice by a clock that is set back", () => {
    const anna = add("Anna", { quota: QUOTA });
    counters.set(anna.id, 25_000_000);
    count();
    clock.jumpWallClock(-40 * 86_400_000);
    count();
    expect(limiter.describe(unwrap(registry.find(anna.id))).quota).toMatchObject({
      usedBytes: 25_000_000,
      since: "2026-07-01",
    });
  });

  it("is looked at several times a second while a connected client may come to its end, and not otherwise", async () => {
    const anna = add("Anna", { quota: { ...QUOTA, bytes: 2e12 } });
    count();
    await clock.advance(5_000);
    expect(looks).toBe(0);
    unwrap(limiter.setClientLimit({ clientId: anna.id, quota: QUOTA }));
    await clock.advance(1_000 + 3 * SOONEST_LOOK_MS);
    expect(looks).toBeGreaterThanOrEqual(3);
    counters.set(anna.id, 30_000_000);
    await clock.advance(SOONEST_LOOK_MS);
    expect(contributed().cutOff.size).toBe(1);
    const after = looks;
    await clock.advance(5_000);
    expect(looks).toBeLessThanOrEqual(after + 1);
  });

  it("counts nothing twice when the interface begins to count anew", () => {
    const anna = add("Anna", { quota: QUOTA });
    counters.set(anna.id, 12_000_000);
    count();
    counters.set(anna.id, 3_000_000);
    count();
    expect(limiter.describe(unwrap(registry.find(anna.id))).quota?.usedBytes).toBe(15_000_000);
  });
});

describe("a schedule", () => {
  it("sets and lifts a limit at its times", async () => {
    const windows = [{ days: ["mon"], from: "12:01", to: "12:02" }];
    add("Anna", { down: "1mbit", schedule: { timeZone: "UTC", windows, outside: "pause" } });
    expect(contributed().cutOff.size).toBe(1);
    await clock.advance(61_000);
    expect(contributed()).toMatchObject({ limits: { clients: [{ downBitsPerSecond: 1_025_000 }] }, cutOff: new Set() });
    await clock.advance(60_000);
    expect(contributed().cutOff.size).toBe(1);
  });
});

describe("what the machine refuses", () => {
  it("is news once, and over when it is accepted", () => {
    const error = { code: "limits-unsupported", message: "No." };
    expect(limiter.noteApplied({ state: "failed", error })).toBe(true);
    expect(limiter.noteApplied({ state: "failed", error })).toBe(false);
    expect(limiter.refusal).toEqual(error);
    expect(limiter.noteApplied({ state: "on", leaf: "fq_codel" })).toBe(true);
    expect(limiter.refusal).toBeUndefined();
  });
});
