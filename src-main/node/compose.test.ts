import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HelperServer } from "../../native-helpers/server.ts";
import {
  type CallInput,
  type CallName,
  type CallOutput,
  callShapes,
  type EventName,
  eventShapes,
} from "../../src-shared/ipc/contract.ts";
import { type HiggsError, HiggsFailure, ok, type Result, unwrap } from "../../src-shared/result.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { KEY_SHOWN_FOR_MS } from "../clients/client-keys.ts";
import { allChecks } from "../diagnostics/all-checks.ts";
import type { NodeApi } from "../ipc/node-api.ts";
import { silentLogger } from "../logs/testing/recording-log.ts";
import { FakeRouter } from "../port-forwarding/testing/fake-router.ts";
import { composeNode } from "./compose.ts";
import { SERVER_KEY } from "./testing/fake-helper.ts";
import { FakeMachine } from "./testing/fake-machine.ts";

const logger = silentLogger();

const good = async () => ({ state: "good" }) as const;

let machine: FakeMachine;
let up: Set<string>;
let clock: FakeClock;
let dataDir: string;
let notices: HiggsError[];
const open: NodeApi[] = [];

beforeEach(async () => {
  machine = new FakeMachine();
  await machine.serve(new HelperServer(machine.serverOptions));
  clock = new FakeClock();
  dataDir = join(machine.folder, "data");
  mkdirSync(dataDir);
  notices = [];
  up = new Set(["eth0", "higgs0"]);
});

afterEach(async () => {
  for (const api of open.splice(0)) await api.close();
  await machine.stop();
});

function compose(): Promise<Result<NodeApi>> {
  const router = new FakeRouter(clock);
  router.manner = "refusing";
  return composeNode({
    dataDir,
    helperPath: "/nowhere/helper.mjs",
    logger,
    clock,
    helper: machine.link(clock),
    dns: { start: async () => ok(undefined), stop: async () => {}, dispose: async () => {} },
    mappingIo: router.io,
    healthProbes: { dns: good, egressIpv4: good, egressIpv6: good, disk: good },
    interfacesUp: () => up,
    onNotice: (notice) => notices.push(notice),
  });
}

async function start(): Promise<NodeApi> {
  const api = unwrap(await compose());
  open.push(api);
  return api;
}

/** As the gate calls: input and output pass the contract. */
async function call<N extends CallName>(api: NodeApi, name: N, input: CallInput<N>): Promise<CallOutput<N>> {
  const shape = callShapes.get(name);
  const handler = api.handlers[name] as (input: unknown, context: { signal: AbortSignal }) => Promise<CallOutput<N>>;
  const output = await handler(shape?.input.parse(input), { signal: new AbortController().signal });
  shape?.output.parse(output);
  return output;
}

async function refusal<N extends CallName>(api: NodeApi, name: N, input: CallInput<N>): Promise<string> {
  try {
    await call(api, name, input);
  } catch (thrown) {
    if (thrown instanceof HiggsFailure) return thrown.error.code;
    throw thrown;
  }
  return "none";
}

function lineOf(config: string, key: string): string | undefined {
  return new RegExp(`^${key} = (.*)$`, "m").exec(config)?.[1];
}

const ENDPOINT = { publicEndpoint: "home.example.org:51820" };

describe("the health of a node", () => {
  it("is part of its state, is looked at on request, and is off with sharing", async () => {
    const api = await start();
    expect((await call(api, "node.state", {})).value.health.overall).toBe("off");
    await call(api, "node.on", {});
    const health = await call(api, "health.check", {});
    expect(health.facts.find(({ code }) => code === "nat")).toMatchObject({ state: "good" });
    expect(health.checkedAt).not.toBeNull();
    expect((await call(api, "node.state", {})).value.health).toEqual(health);
    await call(api, "node.off", {});
    expect((await call(api, "node.state", {})).value.health.overall).toBe("off");
  });

  it("has a history, told line by line, and the uptime of today", async () => {
    const api = await start();
    const told: EventName[] = [];
    api.onEvent((name) => void told.push(name));
    await call(api, "node.on", {});
    machine.network.distort = (seen) => {
      machine.network.distort = (next) => next;
      return { ...seen, wireguard: { state: "absent" } };
    };
    await call(api, "health.check", {});
    const { events, more } = await call(api, "health.history", {});
    expect(events.map(({ kind }) => kind)).toEqual(["healthy", "recovered", "recovery-step", "unhealthy"]);
    expect(more).toBe(false);
    expect(told.filter((name) => name === "health.recorded")).toHaveLength(4);
    await clock.advance(10_000);
    expect(await call(api, "health.uptime", {})).toMatchObject([{ wantedSeconds: 10, workingSeconds: 10 }]);
  });

  it("is looked at anew when the host says that the machine woke", async () => {
    const api = await start();
    await call(api, "node.on", {});
    api.woke();
    const { events } = await call(api, "health.history", {});
    expect(events).toMatchObject([{ kind: "woke" }]);
  });

  it("shows an uplink that is not connected as the reason why guests are not served", async () => {
    const api = await start();
    up.delete("eth0");
    await call(api, "node.on", {});
    const { value } = await call(api, "node.state", {});
    expect(value.node).toMatchObject({ phase: "degraded", problems: [{ code: "uplink-down" }] });
    expect(value.health.facts.find(({ code }) => code === "networkRoute")?.state).toBe("bad");
  });
});

describe("clients of a node that shares", () => {
  it("are in the tunnel when the call is answered, and out of it when they are paused or removed", async () => {
    const api = await start();
    await call(api, "node.on", {});
    const ann = await call(api, "clients.add", { name: "Ann" });
    await call(api, "clients.add", { name: "Ben" });
    const inTunnel = () => machine.network.applied?.wireguard.peers.map(({ publicKey }) => publicKey) ?? [];
    expect(inTunnel()).toHaveLength(2);
    expect(inTunnel()).toContain(ann.publicKey);
    expect((await call(api, "clients.pause", { name: "ann" })).paused).toBe(true);
    expect(inTunnel()).not.toContain(ann.publicKey);
    await call(api, "clients.resume", { name: ann.id });
    expect(inTunnel()).toContain(ann.publicKey);
    await call(api, "clients.remove", { name: "Ann" });
    expect(inTunnel()).toHaveLength(1);
    const { value } = await call(api, "clients.list", {});
    expect(value.map(({ name }) => name)).toEqual(["Ben"]);
    const state = await call(api, "node.state", {});
    expect(state.value.node).toMatchObject({ phase: "running", exit: { clients: { total: 1 } } });
  });

  it("get a configuration that fits the tunnel, and another key when they ask for one", async () => {
    const api = await start();
    await call(api, "node.on", {});
    await call(api, "clients.add", { name: "Ann" });
    const first = await call(api, "clients.config", { name: "Ann" });
    expect(lineOf(first.config, "Endpoint")).toBe("192.168.1.20:51820");
    expect(lineOf(first.config, "PublicKey")).toBe(SERVER_KEY);
    expect(lineOf(first.config, "Address")).toMatch(/^10\.66\.0\.2\/32, fd[0-9a-f:]+::2\/128$/);
    expect(lineOf(first.config, "DNS")).toMatch(/^10\.66\.0\.1, fd[0-9a-f:]+::1$/);
    const second = await call(api, "clients.config", { name: "Ann", newKey: true });
    expect(lineOf(second.config, "PrivateKey")).not.toBe(lineOf(first.config, "PrivateKey"));
    expect(machine.network.applied?.wireguard.peers.map(({ publicKey }) => publicKey)).toEqual([
      second.client.publicKey,
    ]);
    expect(second.client.publicKey).not.toBe(first.client.publicKey);
  });
});

describe("a client's configuration", () => {
  it("cannot be given before the node has shared once, and no key is thrown away for that", async () => {
    const api = await start();
    await call(api, "settings.set", { changes: ENDPOINT });
    const before = await call(api, "clients.add", { name: "Ann" });
    expect(await refusal(api, "clients.config", { name: "Ann" })).toBe("not-shared-yet");
    expect(await refusal(api, "clients.config", { name: "Ann", newKey: true })).toBe("not-shared-yet");
    const { value } = await call(api, "clients.list", {});
    expect(value[0]?.publicKey).toBe(before.publicKey);
  });

  it("needs an endpoint, which is not known while sharing is off", async () => {
    const api = await start();
    await call(api, "node.on", {});
    await call(api, "node.off", {});
    await call(api, "clients.add", { name: "Ann" });
    expect(await refusal(api, "clients.config", { name: "Ann" })).toBe("no-endpoint");
    await call(api, "settings.set", { changes: ENDPOINT });
    expect(lineOf((await call(api, "clients.config", { name: "Ann" })).config, "Endpoint")).toBe(
      ENDPOINT.publicEndpoint,
    );
  });

  it("is shown for ten minutes, then its key is forgotten", async () => {
    const api = await start();
    await call(api, "node.on", {});
    await call(api, "node.off", {});
    await call(api, "settings.set", { changes: ENDPOINT });
    const addedAtMs = clock.nowMs();
    await call(api, "clients.add", { name: "Ann" });
    await clock.advance(KEY_SHOWN_FOR_MS - 1);
    const shown = await call(api, "clients.config", { name: "Ann" });
    expect(shown.shownUntil).toBe(new Date(addedAtMs + KEY_SHOWN_FOR_MS).toISOString());
    await clock.advance(1);
    expect(await refusal(api, "clients.config", { name: "Ann" })).toBe("key-forgotten");
    expect((await call(api, "clients.config", { name: "Ann", newKey: true })).config).toContain("PrivateKey");
  });

  it("stays available where the owner keeps keys, until the owner does not any more", async () => {
    const api = await start();
    await call(api, "node.on", {});
    await call(api, "node.off", {});
    await call(api, "settings.set", { changes: { ...ENDPOINT, keepClientKeys: true } });
    await call(api, "clients.add", { name: "Ann" });
    await clock.advance(KEY_SHOWN_FOR_MS);
    expect((await call(api, "clients.config", { name: "Ann" })).shownUntil).toBeUndefined();
    await call(api, "settings.set", { changes: { keepClientKeys: false } });
    expect(await refusal(api, "clients.config", { name: "Ann" })).toBe("key-forgotten");
  });

  it("follows the public endpoint, also in the state that everybody sees", async () => {
    const api = await start();
    await call(api, "node.on", {});
    await call(api, "clients.add", { name: "Ann" });
    const applies = machine.network.count("apply");
    await call(api, "settings.set", { changes: { publicEndpoint: "[2001:db8::1]:4000" } });
    expect(lineOf((await call(api, "clients.config", { name: "Ann" })).config, "Endpoint")).toBe("[2001:db8::1]:4000");
    expect((await call(api, "node.state", {})).value.node).toMatchObject({
      exit: { reach: { source: "owner", endpoint: { host: "2001:db8::1", port: 4000 } } },
    });
    // It is nothing that the machine must know.
    expect(machine.network.count("apply")).toBe(applies);
  });
});

describe("settings", () => {
  it("are applied to a running node at once", async () => {
    const api = await start();
    await call(api, "node.on", {});
    await call(api, "settings.set", { changes: { listenPort: 51999, blockedPorts: "none" } });
    expect(machine.network.applied).toMatchObject({
      wireguard: { listenPort: 51999 },
      isolation: { blockedPorts: [] },
    });
  });

  it("are taken back where the machine refuses them, and the node goes on as before", async () => {
    const api = await start();
    await call(api, "node.on", {});
    machine.network.failNext("apply", "port-in-use");
    expect(await refusal(api, "settings.set", { changes: { listenPort: 51999 } })).toBe("port-in-use");
    expect((await call(api, "settings.get", {})).value.listenPort).toBe(51820);
    expect(JSON.parse(readFileSync(join(dataDir, "settings.json"), "utf8"))).toMatchObject({ listenPort: 51820 });
    expect((await call(api, "node.state", {})).value.node.phase).toBe("running");
  });

  it("are kept where the machine has a trouble that was there before", async () => {
    const api = await start();
    await call(api, "node.on", {});
    const { machine: home } = machine.network;
    machine.network.machine = { ...home, routes: [] };
    await call(api, "clients.add", { name: "Ann" });
    expect((await call(api, "node.state", {})).value.node.phase).toBe("degraded");
    await call(api, "settings.set", { changes: ENDPOINT });
    expect((await call(api, "settings.get", {})).value.publicEndpoint).toEqual({
      host: "home.example.org",
      port: 51820,
    });
  });

  it("that do not exist, or cannot be, change nothing", async () => {
    const api = await start();
    expect(await refusal(api, "settings.set", { changes: { colour: "blue" } })).toBe("unknown-setting");
    expect(await refusal(api, "settings.set", { changes: { listenPort: 70_000 } })).toBe("settings-invalid");
    expect((await call(api, "settings.get", {})).revision).toBe(0);
  });
});

describe("a node", () => {
  it("touches nothing while sharing is off", async () => {
    const api = await start();
    await call(api, "clients.add", { name: "Ann" });
    await call(api, "settings.set", { changes: { listenPort: 51999 } });
    await call(api, "node.off", {});
    expect(machine.network.calls).toEqual([]);
  });

  it("says what is wrong when it cannot share, and shows it", async () => {
    const api = await start();
    machine.network.machine = { ...machine.network.machine, routes: [] };
    expect(await refusal(api, "node.on", {})).toBe("no-uplink");
    expect((await call(api, "node.state", {})).value.node).toMatchObject({
      phase: "failed",
      error: { code: "no-uplink" },
    });
  });

  it("is degraded while the guest network is too small for its clients", async () => {
    const api = await start();
    for (const name of ["Ann", "Ben", "Cem"]) await call(api, "clients.add", { name });
    await call(api, "settings.set", { changes: { guestIpv4: "10.77.0.0/30" } });
    await call(api, "node.on", {});
    expect((await call(api, "node.state", {})).value.node).toMatchObject({
      phase: "degraded",
      problems: [{ code: "clients-without-address" }],
    });
    await call(api, "settings.set", { changes: { guestIpv4: "10.77.0.0/24" } });
    expect((await call(api, "node.state", {})).value.node.phase).toBe("running");
  });

  it("tells its listeners each change once, as the contract has it, with revisions that grow", async () => {
    const api = await start();
    const told = new Map<EventName, number[]>();
    const forget = api.onEvent((name, payload) => {
      const parsed = eventShapes.get(name)?.payload.parse(payload) as { revision: number };
      told.set(name, [...(told.get(name) ?? []), parsed.revision]);
    });
    await call(api, "node.on", {});
    await call(api, "clients.add", { name: "Ann" });
    await call(api, "settings.set", { changes: { mtu: 1400 } });
    for (const revisions of told.values()) {
      expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b));
    }
    expect([...told.keys()].sort()).toEqual(["clients.changed", "node.stateChanged", "settings.changed"]);
    expect(api.current().map(({ name }) => name)).toEqual([
      "node.stateChanged",
      "clients.changed",
      "settings.changed",
      "privacy.changed",
    ]);
    forget();
    const before = told.get("clients.changed")?.length;
    await call(api, "clients.remove", { name: "Ann" });
    expect(told.get("clients.changed")).toHaveLength(before ?? 0);
  });

  it("shares again when it shared, with the same clients and prefixes", async () => {
    const first = await start();
    await call(first, "node.on", {});
    const ann = await call(first, "clients.add", { name: "Ann" });
    await first.close();
    expect(machine.network.applied).toBeUndefined();
    const second = await start();
    await call(second, "node.on", {});
    expect(machine.network.applied?.wireguard.peers.map(({ publicKey }) => publicKey)).toEqual([ann.publicKey]);
    expect((await call(second, "clients.list", {})).value[0]?.addresses).toEqual(ann.addresses);
  });

  it("ends once, restores the network, and leaves no timer", async () => {
    const api = await start();
    await call(api, "node.on", {});
    await call(api, "clients.add", { name: "Ann" });
    await Promise.all([api.close(), api.close()]);
    await api.close();
    expect(machine.network.count("restore")).toBe(1);
    expect(machine.network.applied).toBeUndefined();
    expect(clock.pending).toBe(0);
  });

  it("sets a damaged database aside, says so, and goes on with an empty one", async () => {
    writeFileSync(join(dataDir, "higgsnode.db"), "no database ".repeat(500));
    const api = await start();
    expect(notices).toMatchObject([{ code: "database-corrupt" }]);
    expect(readdirSync(dataDir).some((name) => name.startsWith("higgsnode.db.corrupt-"))).toBe(true);
    expect((await call(api, "clients.list", {})).value).toEqual([]);
  });

  it("is not built over settings that cannot be understood", async () => {
    writeFileSync(join(dataDir, "settings.json"), '{"listenPort":"x"}');
    expect(await compose()).toMatchObject({ ok: false, error: { code: "settings-invalid" } });
    expect(readFileSync(join(dataDir, "settings.json"), "utf8")).toBe('{"listenPort":"x"}');
  });

  it("runs no check for somebody who has gone, and says so of each", async () => {
    const api = await start();
    const progress: unknown[] = [];
    api.onEvent((name, payload) => {
      if (name === "diagnose.progress") progress.push(payload);
    });
    const diagnosis = await api.handlers["diagnose.run"]({}, { signal: AbortSignal.abort() });
    callShapes.get("diagnose.run")?.output.parse(diagnosis);
    expect(diagnosis.nodePhase).toBe("stopped");
    expect(diagnosis.checks.map(({ outcome }) => outcome)).toEqual(allChecks.map(() => "skipped"));
    expect(progress).toHaveLength(allChecks.length);
  });
});

/** Each comes within milliseconds; a machine that is busy with other tests gets more. */
const SOON = { timeout: 15_000 };

describe("restoring the network", () => {
  it("ends sharing, undoes what is left, and names what could not be undone", async () => {
    const api = await start();
    await call(api, "node.on", {});
    machine.network.stuck = ["chain HIGGS-FWD"];
    expect(await call(api, "node.restoreNetwork", {})).toEqual({ left: ["chain HIGGS-FWD"] });
    expect((await call(api, "node.state", {})).value.node.phase).toBe("failed");
    machine.network.stuck = [];
    expect(await call(api, "node.restoreNetwork", {})).toEqual({ left: [] });
    expect((await call(api, "node.state", {})).value.node.phase).toBe("stopped");
    expect(machine.network.applied).toBeUndefined();
  });

  it("works where the node never shared, for what an earlier run left", async () => {
    const api = await start();
    expect(await call(api, "node.restoreNetwork", {})).toEqual({ left: [] });
    expect(machine.network.calls).toContain("restore");
  });
});

describe("traffic of a node that shares", () => {
  it("is told every two seconds, of all and of each client, with the way it comes", async () => {
    const api = await start();
    const points: unknown[] = [];
    api.onEvent((name, payload) => {
      if (name === "traffic.point") points.push(eventShapes.get(name)?.payload.parse(payload));
    });
    await call(api, "node.on", {});
    const ann = await call(api, "clients.add", { name: "Ann" });
    const counted = (rxBytes: number, txBytes: number) => {
      machine.network.peers = [
        {
          publicKey: ann.publicKey,
          endpoint: "127.0.0.1:40000",
          allowedIps: ["10.66.0.2/32"],
          latestHandshakeAtMs: clock.nowMs(),
          rxBytes,
          txBytes,
        },
      ];
    };
    const readings = () => machine.network.count("observe-peers");
    const nextReading = async () => {
      const before = readings();
      await expect
        .poll(async () => {
          await clock.advance(500);
          return readings();
        }, SOON)
        .toBeGreaterThan(before);
    };
    counted(0, 0);
    await nextReading();
    counted(200_000, 4_000_000);
    await expect
      .poll(async () => {
        await nextReading();
        return (await call(api, "traffic.totals", {})).today;
      }, SOON)
      .toEqual({ rxBytes: 200_000, txBytes: 4_000_000 });
    await expect.poll(() => points.length, SOON).toBeGreaterThan(0);
    const { value } = await call(api, "clients.list", {});
    expect(value[0]).toMatchObject({ connected: true, way: "relay", rate: expect.anything() });
    const { points: history } = await call(api, "traffic.history", { range: "5min" });
    expect(history).toEqual(points);
    await call(api, "node.off", {});
    expect((await call(api, "traffic.history", { range: "5min" })).points.length).toBeGreaterThan(0);
    expect((await call(api, "clients.list", {})).value[0]).not.toHaveProperty("rate");
  });
});

describe("logging that is paused", () => {
  it("has the helper listen to no connections, until it is resumed", async () => {
    await machine.stop();
    machine = new FakeMachine();
    let listening = 0;
    const options = machine.serverOptions;
    const watchConnections = () => {
      listening++;
      return () => {
        listening--;
      };
    };
    await machine.serve(new HelperServer({ ...options, backend: { ...options.backend, watchConnections } }));
    dataDir = join(machine.folder, "data");
    mkdirSync(dataDir);
    const api = await start();
    await call(api, "node.on", {});
    await expect.poll(() => listening, SOON).toBe(1);
    await call(api, "settings.set", { changes: { loggingPaused: true } });
    await expect.poll(() => listening, SOON).toBe(0);
    expect((await call(api, "privacy.get", {})).connectionLog).toEqual({ state: "off" });
    await call(api, "settings.set", { changes: { loggingPaused: false } });
    await expect.poll(() => listening, SOON).toBe(1);
  });
});
