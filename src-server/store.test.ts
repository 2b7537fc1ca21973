import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { unwrap } from "../src-shared/result.ts";
import { Store } from "./store.ts";

let dataDir: string;
let store: Store;
const range = { portMin: 40_000, portMax: 40_003 };
const never = () => false;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "boson-store-"));
  store = unwrap(Store.open(dataDir));
});
afterEach(() => {
  store.close();
  rmSync(dataDir, { recursive: true, force: true });
});

describe("the server's memory", () => {
  it("gives each node a port of its own and the same one ever after, also when reopened", () => {
    const ports = ["a", "b", "c", "d"].map((node) => unwrap(store.claimPort(node, range, never, 1)));
    expect(new Set(ports).size).toBe(4);
    store.close();
    store = unwrap(Store.open(dataDir));
    expect(["a", "b", "c", "d"].map((node) => unwrap(store.claimPort(node, range, never, 2)))).toEqual(ports);
    expect(store.nodeAt(ports[2] as number)).toBe("c");
  });

  it("takes the port of the node not seen for longest when none is free, but never one in use", () => {
    for (const [index, node] of ["a", "b", "c", "d"].entries()) unwrap(store.claimPort(node, range, never, index));
    const ofB = store.portOf("b");
    expect(unwrap(store.claimPort("e", range, (node) => node === "a", 10))).toBe(ofB);
    expect(store.portOf("b")).toBeUndefined();
    expect(store.claimPort("f", range, () => true, 11)).toMatchObject({
      ok: false,
      error: { code: "ports-exhausted" },
    });
  });

  it("moves a node whose port is outside a range that was changed", () => {
    unwrap(store.claimPort("a", range, never, 1));
    expect(unwrap(store.claimPort("a", { portMin: 50_000, portMax: 50_000 }, never, 2))).toBe(50_000);
  });

  it("says so when it cannot write, and writes again when it can", () => {
    const hash = store.proofHash("a", "192.0.2.1:5000");
    const other = new DatabaseSync(join(dataDir, "bosonserver.db"));
    other.exec(
      "CREATE TRIGGER full BEFORE INSERT ON proofs BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END",
    );
    expect(store.addProofs([hash], 1000, 0)).toMatchObject({ ok: false, error: { code: "store-not-written" } });
    expect(store.isProven(hash, 500)).toBe(false);
    other.exec("DROP TRIGGER full");
    other.close();
    expect(store.addProofs([hash], 1000, 0).ok).toBe(true);
    expect(store.isProven(hash, 500)).toBe(true);
  });

  it("remembers proofs for their time, as hashes that tell nothing without its key", () => {
    const hash = store.proofHash("node", "192.0.2.1|500");
    expect(hash.equals(store.proofHash("node", "192.0.2.1|501"))).toBe(false);
    store.addProofs([hash], 1000, 0);
    store.close();
    store = unwrap(Store.open(dataDir));
    const same = store.proofHash("node", "192.0.2.1|500");
    expect(store.isProven(same, 999)).toBe(true);
    expect(store.isProven(same, 1000)).toBe(false);
    store.useProofKey(Buffer.alloc(32, 1));
    expect(store.proofHash("node", "192.0.2.1|500").equals(same)).toBe(false);
  });

  it("refuses a directory it cannot use, a file that is no database, and one of a newer version", () => {
    const path = join(dataDir, "file");
    writeFileSync(path, "");
    expect(Store.open(path)).toMatchObject({ ok: false, error: { code: "store-unusable" } });
    const other = join(dataDir, "other");
    unwrap(Store.open(other)).close();
    const database = new DatabaseSync(join(other, "bosonserver.db"));
    database.exec("PRAGMA user_version = 99");
    database.close();
    expect(Store.open(other)).toMatchObject({ ok: false, error: { code: "store-newer" } });
    const broken = mkdtempSync(join(dataDir, "broken-"));
    writeFileSync(join(broken, "bosonserver.db"), "this is no database, whatever its name says".repeat(100));
    expect(Store.open(broken)).toMatchObject({ ok: false, error: { code: "store-unusable" } });
  });
});
