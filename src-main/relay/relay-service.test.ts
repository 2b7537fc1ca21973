import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { portRange, startTestServer, type TestServer } from "../../src-server/testing/test-server.ts";
import { systemClock } from "../../src-shared/clock.ts";
import type { RelayLinkState } from "../../src-shared/model/relay-link.ts";
import { unwrap } from "../../src-shared/result.ts";
import { eventually } from "../../src-shared/testing/eventually.ts";
import { recordingLog, silentLogger } from "../logs/testing/recording-log.ts";
import { openDatabase } from "../storage/database.ts";
import { KvStore } from "../storage/kv-store.ts";
import { RelayMemory } from "./relay-memory.ts";
import { RelayService, type RelayServiceOptions, type RelaySettings } from "./relay-service.ts";

const cleanups: (() => unknown)[] = [];
let dataDir: string;
let memory: RelayMemory;
let server: TestServer;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "higgs-relay-"));
  const { db } = unwrap(openDatabase(dataDir, { clock: systemClock }));
  memory = new RelayMemory(new KvStore(db), silentLogger());
  server = await startTestServer({ serverName: "127.0.0.1", udp: { host: "127.0.0.1", ...portRange(2) } });
  cleanups.push(() => rmSync(dataDir, { recursive: true, force: true }));
  cleanups.push(() => db.close());
  cleanups.push(() => server.stop());
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function service(overrides: Partial<RelayServiceOptions> = {}): { relay: RelayService; states: RelayLinkState[] } {
  const relay = new RelayService({
    clock: systemClock,
    random: () => 0.5,
    env: {},
    dataDir,
    memory,
    logger: recordingLog().logger,
    version: "1.2.3",
    ...overrides,
  });
  cleanups.push(() => relay.dispose());
  const states: RelayLinkState[] = [];
  relay.onChange((state) => states.push(state));
  return { relay, states };
}

function settings(changes: Partial<RelaySettings> = {}): RelaySettings {
  return { relayMode: "auto", relayServers: [server.url], relayCaFile: "", relayAllowPlain: false, ...changes };
}

const connections = () => server.logs.filter((line) => line.includes('"node-registered"')).length;

describe("the relay service", () => {
  it.each<[string, Partial<RelaySettings>, number | undefined]>([
    ["while the node does not share", {}, undefined],
    ["when it is switched off", { relayMode: "off" }, 51820],
    ["when no relay is named", { relayServers: [] }, 51820],
  ])("sends nothing %s", async (_, changes, port) => {
    const { relay, states } = service();
    relay.update(settings(changes), port);
    expect(relay.state).toEqual({ state: "off" });
    expect(states).toEqual([]);
  });

  it("is connected while the node shares, and not for longer", async () => {
    const { relay, states } = service();
    relay.update(settings(), 51820);
    const connected = await eventually("a connection", () => (relay.state.state === "connected" ? relay.state : null));
    expect(connected).toMatchObject({ url: server.url, sessions: 0, rxBytes: 0, txBytes: 0, dropped: 0 });
    relay.update(settings(), undefined);
    expect(relay.state).toEqual({ state: "off" });
    await eventually("the relay to notice", () => server.logs.some((line) => line.includes("node-disconnected")));
    expect(states.map(({ state }) => state)).toEqual(["connecting", "connected", "off"]);
  });

  it("does nothing when nothing has changed", async () => {
    const { relay } = service();
    relay.update(settings(), 51820);
    await eventually("a connection", () => relay.state.state === "connected");
    for (let time = 0; time < 5; time++) relay.update(settings(), 51820);
    expect(relay.state.state).toBe("connected");
    relay.update(settings(), 51821);
    await eventually("a new connection", () => connections() === 2);
  });

  it("remembers where guests find the node, for as long as that relay is named", async () => {
    const { relay } = service();
    expect(relay.place(settings())).toMatchObject({ ok: false, error: { code: "relay-not-connected" } });
    relay.update(settings(), 51820);
    await eventually("the place with its addresses", () => memory.place?.addresses.length === 1);
    const place = unwrap(relay.place(settings()));
    expect(place).toMatchObject({ url: server.url, endpoint: { host: "127.0.0.1" }, addresses: ["127.0.0.1"] });
    relay.update(settings(), undefined);
    expect(unwrap(service().relay.place(settings()))).toEqual(place);
    expect(relay.place(settings({ relayServers: ["wss://other.example"] })).ok).toBe(false);
  });

  it("is the same node at the relay, with the same port, in every run", async () => {
    const first = service().relay;
    first.update(settings(), 51820);
    await eventually("a connection", () => memory.place);
    const before = memory.place;
    first.dispose();
    const second = service().relay;
    second.update(settings(), 51820);
    await eventually("a second connection", () => second.state.state === "connected");
    expect(memory.place).toMatchObject({ endpoint: before?.endpoint, nodeId: before?.nodeId });
  });

  it("uses the relays named for this run in place of those of the settings", async () => {
    const { relay } = service({ servers: [server.url] });
    relay.update(settings({ relayServers: ["wss://other.example"] }), 51820);
    await eventually("a connection", () => relay.state.state === "connected");
  });

  it("says what is wrong with the authority's file, and goes on once it is right", async () => {
    const { relay } = service();
    relay.update(settings({ relayCaFile: join(dataDir, "missing.pem") }), 51820);
    await eventually("the complaint", () => relay.state.state === "waiting");
    expect(relay.state).toMatchObject({ error: { code: "relay-ca-unusable" } });
    relay.update(settings(), 51820);
    await eventually("a connection", () => relay.state.state === "connected");
  });

  it("says nothing more after it was disposed of", async () => {
    const { relay, states } = service();
    relay.update(settings(), 51820);
    relay.dispose();
    relay.dispose();
    relay.update(settings(), 51821);
    expect(states.map(({ state }) => state)).toEqual(["connecting"]);
    expect(connections()).toBe(0);
  });
});
