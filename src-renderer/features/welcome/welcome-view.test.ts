import { describe, expect, it } from "vitest";
import type { NodeState, PhaseState } from "../../../src-shared/model/node-state.ts";
import { NOT_LOOKED } from "../../../src-shared/testing/not-looked.ts";
import { doneSteps, reachOf } from "./welcome-view.ts";

const since = "2026-01-01T12:00:00.000Z";
const endpoint = { host: "203.0.113.7", port: 51820 };
const reason = { code: "x", message: "x" };

function state(node: PhaseState, more: Partial<NodeState> = {}): NodeState {
  return { version: "1", node, relay: { state: "off" }, portMapping: { state: "off" }, ...NOT_LOOKED, ...more };
}

const RUNNING = state({
  phase: "running",
  since,
  exit: {
    interfaceName: "higgs0",
    implementation: "kernel",
    listenPort: 51820,
    publicKey: "key",
    guestPrefixes: { ipv4: "10.66.0.0/16", ipv6: null },
    uplink: { ipv4: "eth0", ipv6: null },
    reach: { endpoint: null, source: "none" },
    ipv6: { state: "on", mode: "nat66" },
    clients: { total: 0, connected: 0 },
    traffic: { rxBytes: 0, txBytes: 0 },
  },
});

describe("the welcome", () => {
  it("cannot try whether guests get in before sharing is on", () => {
    expect(reachOf(undefined).outcome).toBe("off");
    expect(reachOf(state({ phase: "failed", since, error: reason })).outcome).toBe("off");
    expect(doneSteps(undefined, 0)).toEqual(new Set());
  });

  it("waits while the router, the relay or somebody outside is asked", () => {
    expect(reachOf({ ...RUNNING, reachability: { state: "checking", since } }).outcome).toBe("waiting");
    expect(reachOf({ ...RUNNING, portMapping: { state: "probing", since, gateway: "192.168.1.1" } }).outcome).toBe(
      "waiting",
    );
    expect(reachOf({ ...RUNNING, relay: { state: "connecting" } }).outcome).toBe("waiting");
  });

  it("does not wait for anything once the node was reached", () => {
    const reachability = { state: "reachable", endpoint, since, provenAt: since, ms: 1 } as const;
    expect(reachOf({ ...RUNNING, reachability, relay: { state: "connecting" } }).outcome).toBe("direct");
  });

  it("knows which steps are behind the owner", () => {
    expect(doneSteps(RUNNING, 0)).toEqual(new Set(["permission"]));
    const reachability = { state: "reachable", endpoint, since, provenAt: since, ms: 1 } as const;
    expect(doneSteps({ ...RUNNING, reachability }, 2)).toEqual(new Set(["permission", "reach", "client"]));
  });
});
