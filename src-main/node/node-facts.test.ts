import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { recordingLog } from "../logs/testing/recording-log.ts";
import { KvStore } from "../storage/kv-store.ts";
import { migrate } from "../storage/migrations.ts";
import { NodeFacts } from "./node-facts.ts";

let db: DatabaseSync;
const { logger, records: logged } = recordingLog();

function facts(): NodeFacts {
  return new NodeFacts(new KvStore(db), logger);
}

beforeEach(() => {
  logged.length = 0;
  db = new DatabaseSync(":memory:");
  migrate(db);
});

afterEach(() => {
  if (db.isOpen) db.close();
});

describe("what the node remembers", () => {
  it("is nothing at first: not sharing, nothing left, no key", () => {
    expect(facts()).toMatchObject({ wanted: false, dirty: false, prefixes: {}, publicKey: undefined });
  });

  it("is there again in the next run", () => {
    const first = facts();
    first.wanted = true;
    first.dirty = true;
    first.prefixes = { ipv4: "10.67.0.0/16", ula: "fd00::/64" };
    first.publicKey = "key";
    expect(facts()).toMatchObject({
      wanted: true,
      dirty: true,
      prefixes: { ipv4: "10.67.0.0/16", ula: "fd00::/64" },
      publicKey: "key",
    });
  });

  it("is forgotten where it makes no sense", () => {
    const kv = new KvStore(db);
    kv.set("sharing.wanted", "yes");
    kv.set("guest.prefixes", { ipv4: 10 });
    expect(facts()).toMatchObject({ wanted: false, prefixes: {} });
  });

  it("holds for this run where the disk takes nothing, and the log says so", () => {
    const first = facts();
    db.close();
    first.wanted = true;
    first.prefixes = { ula: "fd00::/64" };
    expect(first.wanted).toBe(true);
    expect(first.prefixes).toEqual({ ula: "fd00::/64" });
    expect(logged.map(({ level }) => level)).toEqual(["warn", "warn"]);
  });
});
