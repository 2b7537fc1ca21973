import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { recordingLog } from "../logs/testing/recording-log.ts";
import { KvStore } from "../storage/kv-store.ts";
import { migrate } from "../storage/migrations.ts";
import { RelayMemory } from "./relay-memory.ts";

const PLACE = {
  url: "wss://relay.example",
  endpoint: { host: "203.0.113.5", port: 21_000 },
  nodeId: "A".repeat(43),
  addresses: [],
};

let db: DatabaseSync;

beforeEach(() => {
  db = new DatabaseSync(":memory:");
  migrate(db);
});

afterEach(() => {
  if (db.isOpen) db.close();
});

describe("the place at the relay", () => {
  it("is known again in the next run", () => {
    const { logger } = recordingLog();
    const first = new RelayMemory(new KvStore(db), logger);
    expect(first.place).toBeUndefined();
    first.place = PLACE;
    expect(new RelayMemory(new KvStore(db), logger).place).toEqual(PLACE);
  });

  it("holds for this run where the disk takes nothing, and the log says so", () => {
    const { logger, records } = recordingLog();
    const memory = new RelayMemory(new KvStore(db), logger);
    db.close();
    memory.place = PLACE;
    expect(memory.place).toEqual(PLACE);
    expect(records.map(({ level }) => level)).toEqual(["warn"]);
  });
});
