import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { migrate } from "../storage/migrations.ts";
import { HealthHistoryStore, KEPT_MS, MAX_EVENTS, type NewHealthEvent } from "./health-history.ts";

const START_MS = Date.UTC(2026, 0, 1);
const HEALED: NewHealthEvent = {
  kind: "recovered",
  fact: "nat",
  error: null,
  step: "apply",
  attempt: 2,
  durationMs: 812.4,
};

function database(): DatabaseSync {
  const db = new DatabaseSync(":memory:");
  migrate(db);
  return db;
}

describe("the history of health", () => {
  it("gives back what it was given, newest first, page by page", () => {
    const store = new HealthHistoryStore(database());
    for (let minute = 0; minute < 5; minute++) store.add(HEALED, START_MS + minute * 60_000);
    const first = store.read({ limit: 2 });
    expect(first.more).toBe(true);
    expect(first.events.map(({ at }) => at)).toEqual(["2026-01-01T00:04:00.000Z", "2026-01-01T00:03:00.000Z"]);
    expect(first.events[0]).toEqual({ ...HEALED, durationMs: 812, id: 5, at: "2026-01-01T00:04:00.000Z" });
    const rest = store.read({ limit: 10, before: first.events[1]?.id });
    expect(rest.events).toHaveLength(3);
    expect(rest.more).toBe(false);
  });

  it("keeps no address and no key, and says the rest as it was said", () => {
    const store = new HealthHistoryStore(database());
    const message = "Another program changed our firewall rules (-s 10.66.0.7/32 -d 203.0.113.5 -j DROP).";
    const added = store.add({ ...HEALED, kind: "unhealthy", error: { code: "firewall-changed", message } }, START_MS);
    for (const event of [added, ...store.read({ limit: 1 }).events]) {
      expect(event.error?.message).not.toMatch(/10\.66\.0\.7|203\.0\.113\.5/);
      expect(event.error?.message).toContain("Another program changed our firewall rules");
    }
  });

  it("forgets what is older than a quarter of a year, and the oldest of too many", () => {
    const db = database();
    const store = new HealthHistoryStore(db);
    const count = () => Number(db.prepare("SELECT count(*) AS n FROM health_events").get()?.n);
    db.exec("BEGIN");
    for (let index = 0; index < MAX_EVENTS + 500; index++) store.add(HEALED, START_MS);
    db.exec("COMMIT");
    expect(count()).toBeLessThanOrEqual(MAX_EVENTS);
    expect(count()).toBeGreaterThan(MAX_EVENTS - 250);
    for (let index = 0; index < 150; index++) store.add(HEALED, START_MS + KEPT_MS + 1);
    expect(count()).toBeLessThanOrEqual(150);
  });

  it("passes over lines that another version wrote", () => {
    const db = database();
    const store = new HealthHistoryStore(db);
    db.exec("INSERT INTO health_events (at, kind, fact) VALUES (1, 'exploded', 'flux'), (2, 'healthy', 'nat')");
    db.exec("INSERT INTO health_events (at, kind, fact, error) VALUES (3, 'unhealthy', 'nat', '{not json')");
    expect(store.read({ limit: 10 }).events.map(({ kind }) => kind)).toEqual(["unhealthy", "healthy"]);
  });
});
