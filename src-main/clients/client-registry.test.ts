import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { clientSchema } from "../../src-shared/model/client.ts";
import { DEFAULT_SETTINGS, type Settings } from "../../src-shared/model/settings.ts";
import type { ObservedPeer } from "../../src-shared/network-observation.ts";
import { unwrap } from "../../src-shared/result.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { openDatabase } from "../storage/database.ts";
import { migrate } from "../storage/migrations.ts";
import { publicKeyOf } from "../wireguard/keys.ts";
import { KEY_SHOWN_FOR_MS } from "./client-keys.ts";
import { toClient } from "./client-record.ts";
import { ClientRegistry, MAX_CLIENTS } from "./client-registry.ts";

const PREFIXES = { ipv4: "10.66.0.0/16", ipv6: "fd12:3456:789a::/64" };

let clock: FakeClock;
let db: DatabaseSync;
let settings: Settings;

beforeEach(() => {
  clock = new FakeClock();
  settings = DEFAULT_SETTINGS;
  db = new DatabaseSync(":memory:");
  migrate(db);
});

afterEach(() => {
  if (db.isOpen) db.close();
});

function open(): ClientRegistry {
  return new ClientRegistry({ db, clock, settings: () => settings });
}

function peer(publicKey: string, rxBytes: number, txBytes: number, latestHandshakeAtMs: number | null = null) {
  return { publicKey, endpoint: null, allowedIps: [], latestHandshakeAtMs, rxBytes, txBytes } satisfies ObservedPeer;
}

function only(registry: ClientRegistry) {
  const [client] = registry.list();
  if (client === undefined) throw new Error("no client");
  return client;
}

describe("ClientRegistry", () => {
  it("keeps clients for the next start", () => {
    const first = open();
    const ann = unwrap(first.add("Ann's phone"));
    unwrap(first.add("Ben"));
    unwrap(first.pause("ben"));
    first.close();
    const again = open();
    expect(again.list().map((client) => [client.name, client.hostNumber, client.paused])).toEqual([
      ["Ann's phone", 2, false],
      ["Ben", 3, true],
    ]);
    expect(unwrap(again.find("ANN'S PHONE"))).toEqual(ann);
    expect(unwrap(again.find(ann.id))).toEqual(ann);
    expect(unwrap(again.add("Cem")).hostNumber).toBe(4);
  });

  it("refuses a name that is taken in another case or normal form, or that is another client's id", () => {
    const registry = open();
    const { id } = unwrap(registry.add("Zoe\u0308"));
    for (const name of ["ZO\u00cb", "zo\u00eb", id, id.toUpperCase()]) {
      expect(registry.add(name)).toMatchObject({ ok: false, error: { code: "client-exists" } });
    }
    expect(registry.list()).toHaveLength(1);
  });

  it.each(["", " ", "a\nb", "$(reboot)", "x;y", "../etc", "a".repeat(10_000), "a\u0000"])(
    "refuses the name %j and changes nothing",
    (name) => {
      const registry = open();
      expect(registry.add(name)).toMatchObject({ ok: false, error: { code: "client-name-invalid" } });
      expect(registry.list()).toEqual([]);
      expect(db.prepare("SELECT count(*) AS n FROM clients").get()).toEqual({ n: 0 });
    },
  );

  it("knows nothing of clients that are not there, and says so shortly", () => {
    const registry = open();
    for (const result of [
      registry.find("nobody"),
      registry.remove("nobody"),
      registry.pause("nobody"),
      registry.resume("nobody"),
      registry.rotateKey("x".repeat(10_000)),
      registry.privateKeyOf("nobody"),
    ]) {
      expect(result).toMatchObject({ ok: false, error: { code: "client-unknown" } });
      if (!result.ok) expect(result.error.message.length).toBeLessThan(200);
    }
  });

  it("gives a removed client's address and name to the next one", () => {
    const registry = open();
    unwrap(registry.add("Ann"));
    unwrap(registry.add("Ben"));
    unwrap(registry.remove("ann"));
    expect(unwrap(registry.add("Ann")).hostNumber).toBe(2);
  });

  it("stops at the number of peers a spec can hold, and at the size of the guest network", () => {
    settings = { ...DEFAULT_SETTINGS, guestIpv4: "10.66.0.0/29" };
    const registry = open();
    for (let n = 0; n < 5; n++) unwrap(registry.add(`guest ${n}`));
    expect(registry.add("one more")).toMatchObject({ ok: false, error: { code: "guest-network-full" } });
    settings = { ...DEFAULT_SETTINGS, guestIpv6: "fd00::/120" };
    for (let n = 5; n < 254; n++) unwrap(registry.add(`guest ${n}`));
    expect(registry.add("one more")).toMatchObject({ ok: false, error: { code: "guest-network-full" } });
    settings = DEFAULT_SETTINGS;
    for (let n = 254; n < MAX_CLIENTS; n++) unwrap(registry.add(`guest ${n}`));
    expect(registry.add("one more")).toMatchObject({ ok: false, error: { code: "client-limit" } });
  });

  it("writes one row per change, however many clients there are", () => {
    const registry = open();
    const perAdd: unknown[] = [];
    for (let n = 0; n < 200; n++) {
      const before = Number(db.prepare("SELECT total_changes() AS n").get()?.n);
      unwrap(registry.add(`guest ${n}`));
      perAdd.push(Number(db.prepare("SELECT total_changes() AS n").get()?.n) - before);
    }
    expect(new Set(perAdd)).toEqual(new Set([1]));
  });

  it("tells of changes, and only of changes", () => {
    const registry = open();
    const seen: string[] = [];
    const stop = registry.onChange((change) => seen.push(change));
    const ann = unwrap(registry.add("Ann"));
    unwrap(registry.pause("Ann"));
    unwrap(registry.pause("Ann"));
    unwrap(registry.resume("Ann"));
    unwrap(registry.resume("Ann"));
    expect(seen).toEqual(["clients", "clients", "clients"]);
    registry.recordUsage([peer(ann.publicKey, 1, 0)]);
    registry.recordUsage([peer(ann.publicKey, 1, 0)]);
    expect(seen.slice(3)).toEqual(["usage"]);
    stop();
    unwrap(registry.remove("Ann"));
    expect(seen).toHaveLength(4);
    registry.close();
  });

  it("reports a database that takes no more, and changes nothing", () => {
    const registry = open();
    unwrap(registry.add("Ann"));
    db.close();
    for (const result of [
      registry.add("Ben"),
      registry.remove("Ann"),
      registry.pause("Ann"),
      registry.rotateKey("Ann"),
    ]) {
      expect(result).toMatchObject({ ok: false, error: { code: "clients-not-saved" } });
    }
    expect(only(registry)).toMatchObject({ name: "Ann", paused: false });
  });
});

describe("private keys", () => {
  it("are shown for ten minutes and then forgotten, with a hint that names the client as a shell reads it", async () => {
    const registry = open();
    const ann = unwrap(registry.add("Ann's phone"));
    const shown = unwrap(registry.privateKeyOf(ann.id));
    expect(publicKeyOf(shown.privateKey)).toBe(ann.publicKey);
    expect(shown.shownUntilMs).toBe(clock.nowMs() + KEY_SHOWN_FOR_MS);
    await clock.advance(KEY_SHOWN_FOR_MS - 1);
    expect(registry.privateKeyOf(ann.id).ok).toBe(true);
    await clock.advance(1);
    expect(registry.privateKeyOf(ann.id)).toMatchObject({
      ok: false,
      error: {
        code: "key-forgotten",
        hint: "Make a new one with: higgsnode client config 'Ann'\\''s phone' --new-key",
      },
    });
    expect(clock.pending).toBe(0);
  });

  it("are replaced by rotation, which the old configuration does not survive", () => {
    const registry = open();
    const before = unwrap(registry.add("Ann"));
    const after = unwrap(registry.rotateKey("Ann"));
    expect(after.publicKey).not.toBe(before.publicKey);
    expect(after.presharedKey).not.toBe(before.presharedKey);
    expect(after).toMatchObject({ id: before.id, hostNumber: before.hostNumber });
    expect(publicKeyOf(unwrap(registry.privateKeyOf(after.id)).privateKey)).toBe(after.publicKey);
    registry.close();
    expect(clock.pending).toBe(0);
  });

  it("are never on disk unless the owner asked for it, and leave the disk when the owner no longer does", () => {
    const root = mkdtempSync(join(tmpdir(), "higgs-clients-"));
    const opened = unwrap(openDatabase(root, { clock }));
    const onDisk = (key: string) =>
      readdirSync(root).some((name) => readFileSync(join(root, name)).includes(Buffer.from(key)));
    try {
      const registry = new ClientRegistry({ db: opened.db, clock, settings: () => settings });
      const ann = unwrap(registry.add("Ann"));
      expect(onDisk(unwrap(registry.privateKeyOf(ann.id)).privateKey)).toBe(false);
      settings = { ...DEFAULT_SETTINGS, keepClientKeys: true };
      const ben = unwrap(registry.add("Ben"));
      const kept = unwrap(registry.privateKeyOf(ben.id));
      expect(kept.shownUntilMs).toBeNull();
      expect(onDisk(kept.privateKey)).toBe(true);
      registry.close();
      const again = new ClientRegistry({ db: opened.db, clock, settings: () => settings });
      expect(unwrap(again.privateKeyOf(ben.id)).privateKey).toBe(kept.privateKey);
      again.close();
      settings = DEFAULT_SETTINGS;
      const third = new ClientRegistry({ db: opened.db, clock, settings: () => settings });
      expect(third.privateKeyOf(ben.id)).toMatchObject({ ok: false, error: { code: "key-forgotten" } });
      expect(onDisk(kept.privateKey)).toBe(false);
    } finally {
      opened.db.close();
      rmSync(root, { recursive: true, force: true });
    }
  });
});

describe("usage", () => {
  it("adds up over interfaces that come and go, and over restarts of the node", async () => {
    const registry = open();
    const { publicKey } = unwrap(registry.add("Ann"));
    registry.recordUsage([peer(publicKey, 100, 10, 1_000)]);
    registry.recordUsage([peer(publicKey, 150, 10, 2_000)]);
    registry.recordUsage([]);
    registry.recordUsage([peer(publicKey, 400, 5, null)]);
    expect(only(registry)).toMatchObject({ rxBytes: 550, txBytes: 15, lastHandshakeAtMs: 2_000 });
    registry.close();
    const again = open();
    again.recordUsage([peer(publicKey, 410, 5, 3_000)]);
    expect(only(again)).toMatchObject({ rxBytes: 560, txBytes: 15, lastHandshakeAtMs: 3_000 });
    again.recordUsage([peer(publicKey, 7, 1, 3_000)]);
    expect(only(again)).toMatchObject({ rxBytes: 567, txBytes: 16 });
    again.close();
  });

  it("never shrinks and never counts a byte twice, whatever is observed", () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("traffic" as const), rx: fc.nat(1000), tx: fc.nat(1000) }),
      fc.record({ kind: fc.constantFrom("look", "gone", "recreated", "restart", "rotate") }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const own = new DatabaseSync(":memory:");
        migrate(own);
        const make = () => new ClientRegistry({ db: own, clock, settings: () => settings });
        let registry = make();
        unwrap(registry.add("Ann"));
        let counter = { rx: 0, tx: 0 };
        const sent = { rx: 0, tx: 0 };
        let before = { rxBytes: 0, txBytes: 0 };
        for (const one of steps) {
          if ("rx" in one) {
            counter = { rx: counter.rx + one.rx, tx: counter.tx + one.tx };
            sent.rx += one.rx;
            sent.tx += one.tx;
          } else if (one.kind === "gone") {
            counter = { rx: 0, tx: 0 };
            registry.recordUsage([]);
          } else if (one.kind === "recreated") counter = { rx: 0, tx: 0 };
          else if (one.kind === "rotate") {
            unwrap(registry.rotateKey("Ann"));
            counter = { rx: 0, tx: 0 };
          } else if (one.kind === "restart") {
            registry.close();
            registry = make();
          } else registry.recordUsage([peer(only(registry).publicKey, counter.rx, counter.tx)]);
          const now = only(registry);
          expect(now.rxBytes).toBeGreaterThanOrEqual(before.rxBytes);
          expect(now.txBytes).toBeGreaterThanOrEqual(before.txBytes);
          expect(now.rxBytes).toBeLessThanOrEqual(sent.rx);
          expect(now.txBytes).toBeLessThanOrEqual(sent.tx);
          before = now;
        }
        registry.close();
        own.close();
      }),
    );
  });

  it("reaches the disk within ten seconds, in one go, and on close", async () => {
    const registry = open();
    const { publicKey } = unwrap(registry.add("Ann"));
    const stored = () => db.prepare("SELECT rx_bytes FROM clients").get()?.rx_bytes;
    for (let second = 1; second <= 9; second++) {
      registry.recordUsage([peer(publicKey, second, 0)]);
      await clock.advance(1_000);
      expect(stored()).toBe(0);
    }
    await clock.advance(1_000);
    expect(stored()).toBe(9);
    registry.recordUsage([peer(publicKey, 20, 0)]);
    registry.close();
    registry.close();
    expect(stored()).toBe(20);
    expect(clock.pending).toBe(0);
  });
});

describe("toClient", () => {
  it("shows what the contract asks for, connected for three minutes after a handshake", () => {
    const registry = open();
    const { publicKey } = unwrap(registry.add("Ann"));
    expect(toClient(only(registry), PREFIXES, clock.nowMs())).toMatchObject({
      connected: false,
      addresses: ["10.66.0.2", "fd12:3456:789a::2"],
      createdAt: "2026-01-01T00:00:00.000Z",
    });
    registry.recordUsage([peer(publicKey, 5, 6, clock.nowMs())]);
    const client = toClient(only(registry), PREFIXES, clock.nowMs() + 179_999);
    expect(clientSchema.parse(client)).toEqual(client);
    expect(client).toMatchObject({ connected: true, usage: { rxBytes: 5, txBytes: 6 } });
    expect(toClient(only(registry), PREFIXES, clock.nowMs() + 180_000).connected).toBe(false);
    unwrap(registry.pause("Ann"));
    expect(toClient(only(registry), PREFIXES, clock.nowMs()).connected).toBe(false);
    registry.close();
  });
});
