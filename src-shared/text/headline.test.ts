import { describe, expect, it } from "vitest";
import type { HealthFact } from "../model/health.ts";
import type { ExitState, NodeState, PhaseState } from "../model/node-state.ts";
import { NOT_LOOKED } from "../testing/not-looked.ts";
import { headlineOf } from "./headline.ts";
import { createTranslator } from "./translate.ts";

const since = "2026-01-01T12:00:00.000Z";
const error = { code: "nat-missing", message: "the NAT rules are gone", hint: "Wait a moment." };
const endpoint = { host: "203.0.113.7", port: 51820 };
const en = createTranslator("en");
const ru = createTranslator("ru");

const REACH = {
  owner: { endpoint, source: "owner" },
  mapping: { endpoint, source: "mapping" },
  uplink: { endpoint: { host: "192.168.1.10", port: 51820 }, source: "uplink" },
  none: { endpoint: null, source: "none" },
} as const;

function exit(connected: number, source: keyof typeof REACH = "owner"): ExitState {
  return {
    interfaceName: "higgs0",
    implementation: "kernel",
    listenPort: 51820,
    publicKey: "key",
    guestPrefixes: { ipv4: "10.66.0.0/16", ipv6: null },
    uplink: { ipv4: "eth0", ipv6: null },
    reach: REACH[source],
    ipv6: { state: "on", mode: "nat66" },
    clients: { total: 5, connected },
    traffic: { rxBytes: 0, txBytes: 0 },
  };
}

function state(node: PhaseState, more: Partial<NodeState> = {}): NodeState {
  return { version: "1", node, relay: { state: "off" }, portMapping: { state: "off" }, ...NOT_LOOKED, ...more };
}

function running(connected: number, more: Partial<NodeState> = {}, source?: keyof typeof REACH): NodeState {
  return state({ phase: "running", since, exit: exit(connected, source) }, more);
}

const REACHABLE: Partial<NodeState> = {
  reachability: { state: "reachable", endpoint, since, provenAt: since, ms: 20 },
};
const UNREACHABLE: Partial<NodeState> = {
  reachability: { state: "unreachable", endpoint, since, checkedAt: since, reason: error, advice: [] },
};
const TWO_ROUTERS: Partial<NodeState> = {
  natPath: { state: "known", verdict: "double-nat", hops: [], publicAddress: null, reason: error, advice: [] },
};
const RELAY: Partial<NodeState> = {
  relay: {
    state: "connected",
    since,
    url: "wss://relay.example",
    rttMs: 20,
    publicEndpoint: endpoint,
    nodeId: "n",
    sessions: 0,
    rxBytes: 0,
    txBytes: 0,
    dropped: 0,
  },
};

describe("the headline", () => {
  it.each<[PhaseState, string, string]>([
    [{ phase: "stopped", since }, "off", "Not sharing"],
    [{ phase: "starting", since, step: "helper" }, "busy", "Starting to share"],
    [{ phase: "running", since, exit: exit(0) }, "good", "Sharing. Nobody connected"],
    [{ phase: "running", since, exit: exit(1) }, "good", "Sharing. 1 person connected"],
    [{ phase: "running", since, exit: exit(3) }, "good", "Sharing. 3 people connected"],
    [{ phase: "running", since, exit: exit(0, "none") }, "attention", "Sharing, but nobody can find this computer yet"],
    [{ phase: "degraded", since, exit: exit(0), problems: [error] }, "attention", "Sharing, with a problem"],
    [{ phase: "recovering", since, exit: exit(0), cause: error, attempt: 2 }, "busy", "Repairing the connection"],
    [{ phase: "stopping", since }, "busy", "Stopping"],
    [{ phase: "failed", since, error }, "attention", "Sharing did not work"],
  ])("of %j", (node, tone, sentence) => {
    expect(headlineOf(state(node), en)).toMatchObject({ tone, sentence });
  });

  it.each<[string, NodeState, string, string]>([
    ["proven from outside", running(3, REACHABLE), "direct", "Sharing. 3 people connected, direct connection"],
    [
      "proven, with a relay beside it",
      running(1, { ...REACHABLE, ...RELAY }),
      "direct",
      "Sharing. 1 person connected, direct connection",
    ],
    [
      "tried in vain, with a relay",
      running(0, { ...UNREACHABLE, ...RELAY }),
      "relay",
      "Sharing. Nobody connected, through the relay",
    ],
    ["no address, with a relay", running(2, RELAY, "none"), "relay", "Sharing. 2 people connected, through the relay"],
    ["tried in vain", running(0, UNREACHABLE), "none", "Sharing, but nobody can reach this computer"],
    ["an address nobody has tried", running(2), "unproven", "Sharing. 2 people connected"],
    [
      "an address of the home network",
      running(0, {}, "uplink"),
      "none",
      "Sharing, but nobody can find this computer yet",
    ],
    [
      "an address of the home network, with a relay",
      running(0, RELAY, "uplink"),
      "relay",
      "Sharing. Nobody connected, through the relay",
    ],
    [
      "a forwarding behind a second router that nobody has tried",
      running(0, TWO_ROUTERS, "mapping"),
      "none",
      "Sharing, but nobody can reach this computer",
    ],
    ["the owner's word, whatever else is known", running(2, TWO_ROUTERS), "unproven", "Sharing. 2 people connected"],
  ])("tells how guests come in: %s", (_, node, way, sentence) => {
    expect(headlineOf(node, en)).toMatchObject({ way, sentence });
  });

  describe("of a node whose guests get no further", () => {
    const fact: HealthFact = {
      code: "egressIpv4",
      severity: "error",
      cutsConnectivity: true,
      state: "bad",
      since,
      error,
      waiting: false,
    };
    const withFact = (changes: Partial<HealthFact>) =>
      running(2, { ...REACHABLE, health: { ...NOT_LOOKED.health, overall: "bad", facts: [{ ...fact, ...changes }] } });

    it("says so, and why", () => {
      expect(headlineOf(withFact({}), en)).toMatchObject({
        tone: "attention",
        sentence: "Sharing, but guests do not get through",
        detail: "The NAT rules are gone. Wait a moment.",
      });
    });

    it.each<[string, Partial<HealthFact>]>([
      ["is only a moment old", { waiting: true }],
      ["is a symptom of another", { silencedBy: "networkRoute" }],
      ["leaves guests their connection", { cutsConnectivity: false }],
      ["is over", { state: "good" }],
      ["concerns the way in", { code: "reachability" }],
    ])("says nothing of what %s", (_, changes) => {
      expect(headlineOf(withFact(changes), en).tone).toBe("good");
    });
  });

  it("claims no way where nobody can be connected", () => {
    expect(headlineOf(state({ phase: "stopped", since }, RELAY), en).way).toBeUndefined();
  });

  it("says every problem, and what to do about it", () => {
    const node = state({
      phase: "degraded",
      since,
      exit: exit(0),
      problems: [error, { code: "x", message: "Also this." }],
    });
    expect(headlineOf(node, en).detail).toBe("The NAT rules are gone. Wait a moment. Also this.");
  });

  it("says failures as it is told to", () => {
    const node = state({ phase: "failed", since, error });
    expect(headlineOf(node, ru, ({ code }) => `«${code}»`).detail).toBe("«nat-missing»");
  });

  it.each([
    [0, "Доступ открыт. Никто не подключён, прямое соединение"],
    [1, "Доступ открыт. Подключён 1 человек, прямое соединение"],
    [2, "Доступ открыт. Подключено 2 человека, прямое соединение"],
    [5, "Доступ открыт. Подключено 5 человек, прямое соединение"],
    [11, "Доступ открыт. Подключено 11 человек, прямое соединение"],
    [21, "Доступ открыт. Подключён 21 человек, прямое соединение"],
    [22, "Доступ открыт. Подключено 22 человека, прямое соединение"],
  ])("counts %i people in Russian", (connected, sentence) => {
    expect(headlineOf(running(connected, REACHABLE), ru).sentence).toBe(sentence);
  });
});
