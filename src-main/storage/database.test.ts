import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { unwrap } from "../../src-shared/result.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { openDatabase } from "./database.ts";
import { KvStore } from "./kv-store.ts";
import { MIGRATIONS, migrate, schemaVersionOf } from "./migrations.ts";

const clock = new FakeClock(Date.UTC(2026, 0, 1));
const CORRUPT = "higgsnode.db.corrupt-20260101T000000Z";
const NEWER = "higgsnode.db.newer-20260101T000000Z";

let root: string;
let file: string;
let opened: DatabaseSync[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "higgs-database-"));
  file = join(root, "higgsnode.db");
  opened = [];
});

afterEach(() => {
  for (const db of opened) db.close();
  rmSync(root, { recursive: true, force: true });
});

function open() {
  const result = unwrap(openDatabase(root, { clock }));
  opened.push(result.db);
  return result;
}

function close(): void {
  for (const db of opened.splice(0)) db.close();
}

describe("openDatabase", () => {
  it("makes a database with the present schema that only its owner can read", () => {
    const { db, notices } = open();
    expect(notices).toEqual([]);
    expect(schemaVersionOf(db)).toBe(MIGRATIONS.length);
    expect(db.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
    expect(db.prepare("PRAGMA foreign_keys").get()).toEqual({ foreign_keys: 1 });
    expect(db.prepare("PRAGMA secure_delete").get()).toEqual({ secure_delete: 1 });
    for (const name of readdirSync(root)) expect(statSync(join(root, name)).mode & 0o777).toBe(0o600);
  });

  it("keeps what was written for the next start", () => {
    new KvStore(open().db).set("sharing", true);
    close();
    expect(new KvStore(open().db).get("sharing", z.boolean())).toBe(true);
  });

  it("keeps a file that is no database aside and begins a fresh one", () => {
    writeFileSync(file, "this is a letter to my aunt, not a database\n".repeat(100));
    const { db, notices } = open();
    expect(notices).toMatchObject([{ code: "database-corrupt" }]);
    expect(notices[0]?.message).toContain(CORRUPT);
    expect(notices[0]?.hint).toContain(file);
    expect(readFileSync(join(root, CORRUPT), "utf8")).toContain("my aunt");
    expect(schemaVersionOf(db)).toBe(MIGRATIONS.length);
  });

  it("keeps a damaged database aside with its -wal file, unchanged", () => {
    const { db } = open();
    new KvStore(db).set("big", "x".repeat(200_000));
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    new KvStore(db).set("late", true);
    const wal = readFileSync(`${file}-wal`);
    const damaged = readFileSync(file);
    damaged.fill(0xff, 4096, 3 * 4096);
    close();
    writeFileSync(file, damaged);
    writeFileSync(`${file}-wal`, wal);
    const { notices } = open();
    expect(notices).toMatchObject([{ code: "database-corrupt" }]);
    expect(readFileSync(join(root, CORRUPT)).equals(damaged)).toBe(true);
    expect(readFileSync(join(root, `${CORRUPT}-wal`)).equals(wal)).toBe(true);
  });

  it("never overwrites a file that was set aside before", () => {
    for (const text of ["first", "second", "third"]) {
      close();
      for (const name of ["", "-wal", "-shm"]) rmSync(file + name, { force: true });
      writeFileSync(file, `${text} file that is no database`.repeat(50));
      open();
    }
    expect(readFileSync(join(root, CORRUPT), "utf8")).toContain("first");
    expect(readFileSync(join(root, `${CORRUPT}-2`), "utf8")).toContain("second");
    expect(readFileSync(join(root, `${CORRUPT}-3`), "utf8")).toContain("third");
  });

  it("keeps the database of a newer version aside, which that version can use again", () => {
    const { db } = open();
    new KvStore(db).set("sharing", true);
    db.exec(`PRAGMA user_version = ${MIGRATIONS.length + 1}`);
    close();
    const fresh = open();
    expect(fresh.notices).toMatchObject([{ code: "database-newer" }]);
    expect(fresh.notices[0]?.message).toContain(NEWER);
    expect(new KvStore(fresh.db).get("sharing", z.boolean())).toBeUndefined();
    const kept = new DatabaseSync(join(root, NEWER));
    opened.push(kept);
    expect(new KvStore(kept).get("sharing", z.boolean())).toBe(true);
  });

  it("uses what a process that was killed left in its -wal file", () => {
    const { db } = open();
    new KvStore(db).set("sharing", true);
    const crashed = join(root, "crashed");
    mkdirSync(crashed);
    for (const suffix of ["", "-wal"]) copyFileSync(file + suffix, join(crashed, `higgsnode.db${suffix}`));
    const again = unwrap(openDatabase(crashed, { clock }));
    opened.push(again.db);
    expect(again.notices).toEqual([]);
    expect(new KvStore(again.db).get("sharing", z.boolean())).toBe(true);
  });

  it("reports a path that can be neither used nor set aside, and leaves it alone", () => {
    mkdirSync(file);
    expect(openDatabase(root, { clock })).toMatchObject({ ok: false, error: { code: "database-unavailable" } });
    expect(existsSync(file)).toBe(true);
  });

  it("does not take a database that another process locks for a damaged one", () => {
    const { db } = open();
    db.exec("PRAGMA journal_mode = DELETE");
    db.exec("BEGIN EXCLUSIVE");
    expect(openDatabase(root, { clock, busyTimeoutMs: 10 })).toMatchObject({
      ok: false,
      error: { code: "database-unavailable" },
    });
    db.exec("ROLLBACK");
    expect(readdirSync(root)).toEqual(["higgsnode.db"]);
  });
});

describe("migrate", () => {
  it("undoes a step that fails and keeps the steps before it", () => {
    const db = new DatabaseSync(":memory:");
    opened.push(db);
    const steps = [
      (target: DatabaseSync) => target.exec("CREATE TABLE one (a)"),
      (target: DatabaseSync) => {
        target.exec("CREATE TABLE two (a)");
        throw new Error("half way");
      },
    ];
    expect(() => migrate(db, steps)).toThrow("half way");
    expect(schemaVersionOf(db)).toBe(1);
    expect(db.prepare("SELECT name FROM sqlite_master").all()).toEqual([{ name: "one" }]);
  });
});

describe("KvStore", () => {
  it("gives undefined for what is missing, deleted, or of another shape", () => {
    const kv = new KvStore(open().db);
    expect(kv.get("a", z.string())).toBeUndefined();
    kv.set("a", "one");
    kv.set("a", "two");
    expect(kv.get("a", z.string())).toBe("two");
    expect(kv.get("a", z.number())).toBeUndefined();
    kv.delete("a");
    expect(kv.get("a", z.string())).toBeUndefined();
    expect(() => kv.set("a", undefined)).toThrow(TypeError);
  });
});
