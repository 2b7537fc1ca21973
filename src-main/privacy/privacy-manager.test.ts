import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LogEntry, LogQuery } from "../../src-shared/model/privacy.ts";
import { logQuerySchema } from "../../src-shared/model/privacy.ts";
import { unwrap } from "../../src-shared/result.ts";
import { PrivacyRig, rigClient } from "./testing/privacy-rig.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

let folder: string;
let rig: PrivacyRig;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "privacy-"));
});
afterEach(async () => {
  await rig.close();
  rmSync(folder, { recursive: true, force: true });
});

function open(settings: ConstructorParameters<typeof PrivacyRig>[0] = {}): PrivacyRig {
  rig = new PrivacyRig(settings);
  return rig;
}

function onDisk(): PrivacyRig {
  return open({ path: join(folder, "test.db") });
}

function entries(query: Partial<LogQuery> = {}): LogEntry[] {
  return unwrap(rig.manager.page(logQuerySchema.parse(query))).entries;
}

/** Every byte of the database, its write-ahead log and whatever else SQLite keeps beside it. */
function bytesOnDisk(): string {
  return readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), "latin1"))
    .join("\n");
}

describe("privacy settings", () => {
  it("log connections without addresses for a week, and neither traffic nor DNS, unless the owner says otherwise", () => {
    expect(open().manager.getSettings()).toEqual({
      logTraffic: false,
      logDNS: false,
      logMetadata: true,
      anonymizeIPs: true,
      maxLogRetention: 7,
    });
  });

  it("keep false where the owner said false", async () => {
    open();
    const off = { logTraffic: false, logDNS: false, logMetadata: false, anonymizeIPs: false };
    expect(await rig.manager.updateSettings(off)).toMatchObject({ ok: true, value: off });
    expect(rig.manager.getSettings()).toMatchObject(off);
    expect(rig.settings.get()).toMatchObject(off);
    expect(rig.manager.canLogTraffic()).toBe(false);
    expect(rig.manager.canLogDNS()).toBe(false);
  });

  it("tell each change once, and nothing when nothing changes", async () => {
    open();
    const told: unknown[] = [];
    rig.manager.on("settingsUpdated", (settings) => told.push(settings));
    await rig.manager.updateSettings({ logDNS: true });
    await rig.manager.updateSettings({ logDNS: true });
    rig.settings.set({ listenPort: 51_999 });
    expect(told).toEqual([{ ...rig.manager.getSettings(), logDNS: true }]);
  });

  it.each([
    [{ logEverything: true }, "unknown-setting"],
    [{ listenPort: 1 }, "unknown-setting"],
    [{ logDNS: "no" }, "settings-invalid"],
    [{ logDNS: null }, "settings-invalid"],
    [{ maxLogRetention: 0 }, "settings-invalid"],
    [{ maxLogRetention: 366 }, "settings-invalid"],
    [{ maxLogRetention: 1.5 }, "settings-invalid"],
    [{ maxLogRetention: -1 }, "settings-invalid"],
  ])("refuse %j and stay as they were", async (changes, code) => {
    open();
    const before = rig.manager.getSettings();
    expect(await rig.manager.updateSettings(changes)).toMatchObject({ ok: false, error: { code } });
    expect(rig.manager.getSettings()).toEqual(before);
  });
});

describe("connection metadata", () => {
  it("is kept per client, without the machine it went to", () => {
    open().manager.logConnectionMetadata(rig.connection());
    expect(entries()).toEqual([
      {
        kind: "connections",
        endedAt: "2026-01-01T00:00:00.000Z",
        startedAt: "2025-12-31T23:59:57.000Z",
        durationSeconds: 3,
        clientId: "client-2",
        clientName: null,
        destination: "203.0.113.0",
        port: 443,
        protocol: "tcp",
        sent: { bytes: 1_000, packets: 10 },
        received: { bytes: 20_000, packets: 20 },
        anonymised: true,
      },
    ]);
  });

  it("is written within half a second, in one transaction, and told in the form in which it was written", async () => {
    open();
    const told: unknown[] = [];
    rig.manager.on("metadataLogged", (rows) => told.push(rows.map(({ destination }) => destination)));
    rig.manager.logConnectionMetadata(rig.connection());
    rig.manager.logConnectionMetadata(rig.connection({ destination: "2001:db8:1:2::3", source: "fd12:3456:789a::3" }));
    expect(told).toEqual([]);
    await rig.clock.advance(500);
    expect(told).toEqual([["203.0.113.0", "2001:db8:1::"]]);
    expect(entries().map(({ clientId }) => clientId)).toEqual(["client-3", "client-2"]);
  });

  it("is not kept while the owner does not want it, not even what was waiting", async () => {
    open().manager.logConnectionMetadata(rig.connection());
    await rig.manager.updateSettings({ logMetadata: false });
    rig.manager.logConnectionMetadata(rig.connection());
    await rig.clock.advance(1_000);
    expect(rig.manager.stored().connections.count).toBe(0);
  });

  it("names an address that is nobody's as an address: without its last part", () => {
    open().manager.logConnectionMetadata(rig.connection({ source: "10.66.9.9" }));
    expect(entries()[0]?.clientId).toBe("10.66.9.0");
  });

  it("keeps whole addresses only where the owner asked for that", async () => {
    open({ settings: { anonymizeIPs: false } });
    expect(rig.manager.anonymizeIP("203.0.113.77")).toBe("203.0.113.77");
    rig.manager.logConnectionMetadata(rig.connection({ destination: "::ffff:203.0.113.77" }));
    expect(entries()[0]).toMatchObject({ destination: "::ffff:203.0.113.77", anonymised: false });
    await rig.manager.updateSettings({ anonymizeIPs: true });
    expect(rig.manager.anonymizeIP("203.0.113.77")).toBe("203.0.113.0");
    expect(rig.manager.anonymizeIP("client-2")).toBe("client-2");
  });

  it("survives a database that takes no more, and counts what is missing", () => {
    open();
    rig.db.exec("DROP TABLE connection_log");
    rig.manager.logConnectionMetadata(rig.connection());
    rig.manager.logConnectionMetadata(rig.connection());
    expect(() => rig.manager.page(logQuerySchema.parse({}))).toThrow();
    expect(rig.manager.state().lost).toEqual({ kernel: 0, notWritten: 2 });
    expect(JSON.stringify(rig.records)).not.toContain("203.0.113");
  });
});

describe("logging that is paused", () => {
  const settings = { logTraffic: true, logDNS: true, logMetadata: true };

  function everything(): void {
    rig.manager.logConnectionMetadata(rig.connection());
    rig.manager.logDnsQuestion({ source: "10.66.0.2", name: "example.org", type: "A" });
    rig.clients = [rigClient(2, { rxBytes: (rig.clients[0]?.rxBytes ?? 0) + 100 })];
    rig.manager.recordUsage();
  }

  it("writes nothing, not even what was waiting, and asks for nothing", async () => {
    open({ settings });
    everything();
    rig.settings.set({ loggingPaused: true });
    everything();
    await rig.clock.advance(60_000);
    expect(rig.manager.stored()).toMatchObject({
      connections: { count: 0 },
      dns: { count: 0 },
      traffic: { count: 0 },
      usageDays: { count: 1 },
    });
    expect(rig.manager.canLogMetadata()).toBe(false);
    expect(rig.manager.state()).toMatchObject({ settings, connectionLog: { state: "off" } });
  });

  it("goes on as the settings say once it is resumed, and tells both changes", async () => {
    open({ settings: { ...settings, loggingPaused: true } });
    const told: string[] = [];
    rig.manager.onStateChange(({ connectionLog }) => told.push(connectionLog.state));
    rig.settings.set({ loggingPaused: false });
    everything();
    expect(rig.manager.stored()).toMatchObject({ connections: { count: 1 }, dns: { count: 1 }, traffic: { count: 1 } });
    rig.settings.set({ loggingPaused: true });
    expect(told).toEqual(["waiting", "off"]);
  });

  it("is still deleted when its time is over", async () => {
    open({ settings: { ...settings, maxLogRetention: 1 } });
    everything();
    rig.manager.stored();
    rig.settings.set({ loggingPaused: true });
    rig.manager.start();
    await rig.clock.advance(2 * DAY_MS);
    expect(rig.manager.stored().connections.count).toBe(0);
  });
});

describe("what the helper tells", () => {
  const event = { topic: "connections" as const, dropped: 0, ended: [] };

  it("is shown as it is: waiting, on, unavailable with the reason, off", async () => {
    open();
    const states: string[] = [];
    rig.manager.onStateChange(({ connectionLog }) => states.push(connectionLog.state));
    expect(rig.manager.state().connectionLog).toEqual({ state: "waiting" });
    rig.manager.acceptConnections({ ...event, source: { state: "on" } });
    rig.manager.acceptConnections({ ...event, source: { state: "on" } });
    const error = { code: "conntrack-missing", message: "The connection log is not available." };
    rig.manager.acceptConnections({ ...event, source: { state: "unavailable", error } });
    expect(rig.manager.state().connectionLog).toEqual({ state: "unavailable", error });
    await rig.manager.updateSettings({ logMetadata: false });
    expect(states).toEqual(["on", "unavailable", "off"]);
  });

  it("adds up what the kernel has dropped", () => {
    open();
    rig.manager.acceptConnections({ ...event, source: { state: "on" }, dropped: 5 });
    rig.manager.acceptConnections({ ...event, source: { state: "on" }, dropped: 2, ended: [rig.connection()] });
    expect(rig.manager.state().lost.kernel).toBe(7);
    expect(entries()).toHaveLength(1);
  });
});

describe("DNS questions", () => {
  const question = { source: "10.66.0.2", name: "77.113.0.203.in-addr.arpa", type: "PTR" };

  it("are kept only while the owner wants them, without addresses in names", async () => {
    open().manager.logDnsQuestion(question);
    await rig.manager.updateSettings({ logDNS: true });
    rig.manager.logDnsQuestion(question);
    rig.manager.logDnsQuestion({ source: "10.66.0.3", name: "www.example.org", type: "AAAA" });
    expect(entries({ kind: "dns" })).toMatchObject([
      { clientId: "client-3", name: "www.example.org", type: "AAAA" },
      { clientId: "client-2", name: "113.0.203.in-addr.arpa", type: "PTR" },
    ]);
    rig.manager.logDnsQuestion(question);
    await rig.manager.updateSettings({ logDNS: false });
    expect(entries({ kind: "dns" })).toHaveLength(2);
  });
});

describe("anonymising what is stored", () => {
  it("leaves no whole address in the database or its write-ahead log", async () => {
    onDisk();
    await rig.manager.updateSettings({ anonymizeIPs: false, logDNS: true });
    for (let n = 0; n < 12_000; n++) {
      rig.manager.logConnectionMetadata(rig.connection({ destination: `203.0.113.${n % 200 === 0 ? 77 : 1}` }));
    }
    rig.manager.logDnsQuestion({ source: "10.66.7.7", name: "77.113.0.203.in-addr.arpa", type: "PTR" });
    expect(rig.manager.stored()).toMatchObject({ connections: { count: 12_000 }, dns: { count: 1 } });
    expect(bytesOnDisk()).toContain("203.0.113.77");

    const changed = rig.manager.updateSettings({ anonymizeIPs: true });
    await rig.clock.advance(1_000);
    await changed;
    expect(rig.manager.stored().connections.count).toBe(12_000);
    for (const exact of ["203.0.113.77", "203.0.113.1", "77.113.0.203", "10.66.7.7"]) {
      expect(bytesOnDisk()).not.toContain(exact);
    }
    expect(entries({ kind: "dns" })).toMatchObject([{ name: "113.0.203.in-addr.arpa", clientId: "10.66.7.0" }]);
  });

  it("is finished at the next start where a crash cut it short", async () => {
    onDisk();
    await rig.manager.updateSettings({ anonymizeIPs: false });
    rig.manager.logConnectionMetadata(rig.connection());
    await rig.close();
    onDisk();
    expect(entries()).toMatchObject([{ destination: "203.0.113.77" }]);
    rig.manager.start();
    await rig.clock.advance(0);
    expect(entries()).toMatchObject([{ destination: "203.0.113.0", anonymised: true }]);
    expect(bytesOnDisk()).not.toContain("203.0.113.77");
  });
});

describe("retention", () => {
  function logOld(days: number): void {
    rig.manager.logConnectionMetadata(rig.connection({ endedAtMs: rig.clock.nowMs() - days * DAY_MS }));
  }

  it("deletes at the start what is too old, and says what was there before and after", async () => {
    open();
    logOld(8);
    logOld(6);
    expect(rig.manager.stored().connections.count).toBe(2);
    rig.manager.start();
    await rig.clock.advance(0);
    expect(rig.manager.stored().connections.count).toBe(1);
    expect(rig.manager.state().lastRetention).toMatchObject({
      before: { connections: { count: 2 } },
      after: { connections: { count: 1 } },
    });
  });

  it("is enforced as soon as the owner shortens it", async () => {
    open();
    rig.manager.start();
    logOld(6);
    logOld(1.5);
    rig.manager.stored();
    await rig.manager.updateSettings({ maxLogRetention: 2 });
    expect(rig.manager.stored().connections.count).toBe(1);
    expect(rig.manager.state().lastRetention?.before.connections.count).toBe(2);
    expect(rig.records).toContainEqual(expect.objectContaining({ area: "privacy", message: "retention" }));
  });

  it("deletes hour by hour what grows too old", async () => {
    open();
    rig.manager.start();
    rig.manager.logConnectionMetadata(rig.connection());
    await rig.clock.advance(7 * DAY_MS - HOUR_MS);
    expect(rig.manager.stored().connections.count).toBe(1);
    await rig.clock.advance(2 * HOUR_MS);
    expect(rig.manager.stored().connections.count).toBe(0);
  });

  it("leaves no timer when the manager is closed", async () => {
    open();
    rig.manager.start();
    logOld(1);
    rig.clients = [rigClient(2, { rxBytes: 5 })];
    rig.manager.recordUsage();
    await rig.manager.close();
    await rig.manager.close();
    expect(rig.clock.pending).toBe(0);
  });
});

describe("purge", () => {
  it("deletes every log from the disk and proves it by the counts, and keeps the daily sums", async () => {
    onDisk();
    await rig.manager.updateSettings({ anonymizeIPs: false, logDNS: true, logTraffic: true });
    rig.clients = [rigClient(2, { rxBytes: 100, txBytes: 200 })];
    rig.manager.recordUsage();
    rig.manager.logConnectionMetadata(rig.connection());
    rig.manager.logDnsQuestion({ source: "10.66.0.2", name: "secret.example.org", type: "A" });
    const purged = rig.manager.purge();
    await rig.clock.advance(0);
    const { before, after } = await purged;
    expect(before).toMatchObject({ connections: { count: 1 }, dns: { count: 1 }, traffic: { count: 1 } });
    expect(after).toMatchObject({ connections: { count: 0 }, dns: { count: 0 }, traffic: { count: 0 } });
    expect(after.usageDays.count).toBe(1);
    expect(bytesOnDisk()).not.toMatch(/203\.0\.113\.77|secret\.example\.org/);
  });
});

describe("usage", () => {
  it("is summed per client and day without destinations, whatever is logged", async () => {
    open({ settings: { logMetadata: false } });
    rig.clients = [rigClient(2, { rxBytes: 100, txBytes: 200 })];
    rig.manager.recordUsage();
    rig.clients = [rigClient(2, { rxBytes: 150, txBytes: 200 }), rigClient(3, { rxBytes: 1 })];
    rig.manager.recordUsage();
    await rig.clock.advance(10_000);
    expect(rig.manager.stored()).toMatchObject({ usageDays: { count: 2 }, traffic: { count: 0 } });
    const rows = rig.db.prepare("SELECT client, rx_bytes, tx_bytes FROM usage_days ORDER BY client").all();
    expect(rows.map((row) => ({ ...row }))).toEqual([
      { client: "client-2", rx_bytes: 150, tx_bytes: 200 },
      { client: "client-3", rx_bytes: 1, tx_bytes: 0 },
    ]);
  });

  it("is added up over the day and the month, and counts those who were removed without naming them", async () => {
    open();
    rig.manager.start();
    rig.clients = [rigClient(2, { rxBytes: 100, txBytes: 10 }), rigClient(3, { rxBytes: 1_000 })];
    expect(rig.manager.totals()).toEqual({
      today: { rxBytes: 1_100, txBytes: 10 },
      month: { rxBytes: 1_100, txBytes: 10 },
    });
    rig.clients = [rigClient(2, { rxBytes: 100, txBytes: 10 })];
    await rig.clock.advance(DAY_MS);
    rig.clients = [rigClient(2, { rxBytes: 107, txBytes: 10 })];
    const expected = { today: { rxBytes: 7, txBytes: 0 }, month: { rxBytes: 1_107, txBytes: 10 } };
    expect(rig.manager.totals()).toEqual(expected);
    await rig.clock.advance(2 * HOUR_MS);
    expect(rig.manager.totals()).toEqual(expected);
    const named = rig.db.prepare("SELECT DISTINCT client FROM usage_days ORDER BY client").all();
    expect(named.map(({ client }) => client)).toEqual(["", "client-2"]);
    await rig.clock.advance(40 * DAY_MS);
    expect(rig.manager.totals().month).toEqual({ rxBytes: 0, txBytes: 0 });
  });

  it("counts nothing twice after a crash, whichever of totals and sums is older on disk", async () => {
    onDisk();
    rig.clients = [rigClient(2, { rxBytes: 1_000 })];
    rig.manager.recordUsage();
    await rig.close();
    onDisk();
    for (const rxBytes of [400, 900, 1_300]) {
      rig.clients = [rigClient(2, { rxBytes })];
      rig.manager.recordUsage();
    }
    rig.manager.stored();
    expect(rig.db.prepare("SELECT sum(rx_bytes) AS sum FROM usage_days").get()?.sum).toBe(1_300);
  });

  it("is kept per minute only while the owner wants it, with packets where connections are recorded", async () => {
    open();
    rig.clients = [rigClient(2, { rxBytes: 100 })];
    rig.manager.recordUsage();
    await rig.manager.updateSettings({ logTraffic: true });
    rig.clients = [rigClient(2, { rxBytes: 150, txBytes: 7 }), rigClient(3, { txBytes: 9 })];
    rig.manager.recordUsage();
    rig.manager.logConnectionMetadata(rig.connection());
    rig.manager.logConnectionMetadata(rig.connection());
    expect(entries({ kind: "traffic", order: "oldest" })).toMatchObject([
      { clientId: "client-2", sentBytes: 50, receivedBytes: 7, sentPackets: 20, receivedPackets: 40 },
      { clientId: "client-3", sentBytes: 0, receivedBytes: 9, sentPackets: null, receivedPackets: null },
    ]);
    rig.clients = [rigClient(2, { rxBytes: 160, txBytes: 7 })];
    rig.manager.recordUsage();
    await rig.manager.updateSettings({ logTraffic: false });
    await rig.clock.advance(10_000);
    expect(entries({ kind: "traffic" })).toHaveLength(2);
  });
});

describe("pages and export", () => {
  beforeEach(() => {
    open();
    rig.db.exec(`INSERT INTO clients (id, name, name_key, public_key, preshared_key, host_number, created_at)
      VALUES ('client-2', 'Client 2', 'client 2', 'k', 'p', 2, 0)`);
    for (let n = 0; n < 25; n++) {
      const destination = n % 5 === 0 ? "2001:db8:7:1::1" : "203.0.113.77";
      const source = n % 2 === 0 ? "10.66.0.2" : "10.66.0.3";
      // Several in one millisecond: a cursor of the time alone would lose or repeat them.
      const endedAtMs = rig.clock.nowMs() + Math.floor(n / 10);
      rig.manager.logConnectionMetadata(rig.connection({ destination, source, destinationPort: n, endedAtMs }));
    }
  });

  function all(query: Partial<LogQuery>): (number | null)[] {
    const ports: (number | null)[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = unwrap(rig.manager.page(logQuerySchema.parse({ ...query, ...(cursor ? { cursor } : {}) })));
      ports.push(...page.entries.map((entry) => (entry.kind === "connections" ? entry.port : null)));
      if (page.next === null) return ports;
      cursor = page.next;
    }
  }

  it.each([1, 7, 25, 100])("give every entry once, in pages of %d, in either order", (limit) => {
    const ports = Array.from({ length: 25 }, (_, n) => n);
    expect(all({ limit, order: "oldest" })).toEqual(ports);
    expect(all({ limit })).toEqual(ports.reverse());
  });

  it("are filtered by client, by text and by time", () => {
    expect(all({ client: "CLIENT 2" })).toHaveLength(13);
    expect(all({ client: "client-3" })).toHaveLength(12);
    expect(all({ search: "2001:DB8:7" })).toHaveLength(5);
    expect(all({ search: "%" })).toEqual([]);
    expect(all({ search: "' OR 1=1 --" })).toEqual([]);
    expect(all({ since: new Date(rig.clock.nowMs() + 2).toISOString() })).toHaveLength(5);
    expect(all({ until: new Date(rig.clock.nowMs() + 1).toISOString() })).toHaveLength(10);
  });

  it("refuse a cursor that no page has given", () => {
    expect(rig.manager.page(logQuerySchema.parse({ cursor: "1-2" }))).toMatchObject({ error: { code: "bad-cursor" } });
  });

  it("export JSON lines that are the entries", () => {
    const piece = unwrap(rig.manager.exportPiece({ kind: "connections", format: "jsonl" }));
    const lines = piece.text.trimEnd().split("\n");
    expect(piece.next).toBeNull();
    expect(lines.map((line) => JSON.parse(line))).toEqual(entries({ order: "oldest" }));
  });

  it("export CSV with a head and a row per entry, in pieces that join", () => {
    for (let n = 25; n < 1_200; n++)
      rig.manager.logConnectionMetadata(rig.connection({ endedAtMs: rig.clock.nowMs() + 9 }));
    let text = "";
    let pieces = 0;
    for (let cursor: string | undefined; ; ) {
      const query = { kind: "connections", format: "csv", ...(cursor ? { cursor } : {}) } as const;
      const piece = unwrap(rig.manager.exportPiece(query));
      text += piece.text;
      pieces++;
      if (piece.next === null) break;
      cursor = piece.next;
    }
    const rows = text.trimEnd().split("\r\n");
    expect(pieces).toBe(3);
    expect(rows).toHaveLength(1_201);
    expect(rows[0]).toMatch(/^endedAt,startedAt,/);
    expect(rows[1]).toBe(
      "2026-01-01T00:00:00.000Z,2025-12-31T23:59:57.000Z,3,client-2,Client 2,2001:db8:7::,0,tcp,1000,10,20000,20,true",
    );
  });

  it("make no formula of a name that a guest has asked for", async () => {
    await rig.manager.updateSettings({ logDNS: true });
    rig.manager.logDnsQuestion({ source: "10.66.0.2", name: '=cmd|"x",y', type: "A" });
    expect(unwrap(rig.manager.exportPiece({ kind: "dns", format: "csv" })).text).toContain(`,"'=cmd|""x"",y",A,`);
  });
});
