import { describe, expect, it } from "vitest";
import type { ExitState, NodeState, PhaseState } from "../../../src-shared/model/node-state.ts";
import { NOT_LOOKED } from "../../../src-shared/testing/not-looked.ts";
import { explain } from "../../../src-shared/text/headline.ts";
import { createTranslator } from "../../../src-shared/text/translate.ts";
import { formatOf } from "../../i18n/i18n.tsx";
import { detailsOf, endpointOf, heroOf, wayOf } from "./overview-view.ts";

const since = "2026-01-01T12:00:00.000Z";
const NOW_MS = Date.UTC(2026, 0, 1, 14);
const error = { code: "nat-missing", message: "the NAT rules are gone" };
const endpoint = { host: "203.0.113.7", port: 51820 };
const words = { t: createTranslator("en"), format: formatOf("en"), explain };

const EXIT: ExitState = {
  interfaceName: "higgs0",
  implementation: "kernel",
  listenPort: 51820,
  publicKey: "key",
  guestPrefixes: { ipv4: "10.66.0.0/16", ipv6: null },
  uplink: { ipv4: "eth0", ipv6: null },
  reach: { endpoint, source: "mapping" },
  ipv6: { state: "off", reason: { code: "no-ipv6", message: "no IPv6 here" } },
  clients: { total: 5, connected: 2 },
  traffic: { rxBytes: 0, txBytes: 0 },
};

function state(node: PhaseState, more: Partial<NodeState> = {}): NodeState {
  return { version: "1", node, relay: { state: "off" }, portMapping: { state: "off" }, ...NOT_LOOKED, ...more };
}

const RUNNING = state({ phase: "running", since, exit: EXIT });

function hero(node: NodeState | undefined, asked?: boolean, connection: "open" | "lost" | "connecting" = "open") {
  return heroOf({ connection, node, asked }, words);
}

describe("the overview's first lines", () => {
  it("say that nothing is known yet, and do not offer the switch", () => {
    expect(hero(undefined, undefined, "connecting")).toMatchObject({ tone: "busy", toggle: { enabled: false } });
    expect(hero(undefined, undefined, "lost")).toMatchObject({ tone: "attention", toggle: { enabled: false } });
  });

  it.each<[PhaseState, string, boolean, boolean]>([
    [{ phase: "stopped", since }, "off", false, true],
    [{ phase: "starting", since, step: "dns" }, "busy", true, true],
    [{ phase: "running", since, exit: EXIT }, "good", true, true],
    [{ phase: "degraded", since, exit: EXIT, problems: [error] }, "bad", true, true],
    [{ phase: "recovering", since, exit: EXIT, cause: error, attempt: 1 }, "busy", true, true],
    [{ phase: "stopping", since }, "busy", false, false],
    [{ phase: "failed", since, error }, "bad", false, true],
  ])("of %j have their tone and switch", (node, tone, value, enabled) => {
    expect(hero(state(node))).toMatchObject({ tone, toggle: { value, predicted: false, enabled } });
  });

  it("mark what was asked for until the node is there", () => {
    const off = state({ phase: "stopped", since });
    expect(hero(off, true).toggle).toEqual({ value: true, predicted: true, enabled: false });
    expect(hero(state({ phase: "starting", since, step: "helper" }), true).toggle).toEqual({
      value: true,
      predicted: false,
      enabled: true,
    });
  });

  it("offer no switch while the node cannot be reached", () => {
    expect(hero(RUNNING, undefined, "lost").toggle).toMatchObject({ value: true, enabled: false });
  });

  it("offer another try after a failure, and the way to health while something is repaired", () => {
    expect(hero(state({ phase: "failed", since, error }))).toMatchObject({ retry: true, toHealth: false });
    const degraded = hero(state({ phase: "degraded", since, exit: EXIT, problems: [error, error] }));
    expect(degraded).toMatchObject({ retry: false, toHealth: true, detail: undefined });
    expect(degraded.problems).toHaveLength(2);
  });
});

describe("the endpoint", () => {
  it("says where it comes from", () => {
    expect(endpointOf(EXIT, words.t)).toMatchObject({ text: "203.0.113.7:51820", copyable: true, ipv6: undefined });
    expect(endpointOf(EXIT, words.t).note).toContain("Forwarded by your router.");
  });

  it("cannot be copied where there is none, and has a second one over IPv6", () => {
    expect(endpointOf({ ...EXIT, reach: { endpoint: null, source: "none" } }, words.t).copyable).toBe(false);
    const both = { endpoint, source: "proven", ipv6: { host: "2001:db8::1", port: 51820 } } as const;
    expect(endpointOf({ ...EXIT, reach: both }, words.t).ipv6).toBe("[2001:db8::1]:51820");
  });
});

describe("how guests come in", () => {
  it("is not claimed before it was tried", () => {
    expect(wayOf(RUNNING, EXIT, words)).toMatchObject({ way: "unproven", tone: "unknown" });
    const checking = { ...RUNNING, reachability: { state: "checking", since } } as const;
    expect(wayOf(checking, EXIT, words)).toMatchObject({ way: "unproven", tone: "busy" });
  });

  it("says why nobody gets in", () => {
    const tried: NodeState["reachability"] = {
      state: "unreachable",
      endpoint,
      since,
      checkedAt: since,
      reason: error,
      advice: [],
    };
    expect(wayOf({ ...RUNNING, reachability: tried }, EXIT, words)).toMatchObject({
      way: "none",
      why: "The NAT rules are gone.",
    });
    const noMapping = { state: "unavailable", since, reason: error, nextProbeAt: null } as const;
    const nowhere = { ...EXIT, reach: { endpoint: null, source: "none" } } as const;
    expect(wayOf({ ...RUNNING, portMapping: noMapping }, nowhere, words)).toMatchObject({
      way: "none",
      why: "The NAT rules are gone.",
    });
  });
});

describe("the details", () => {
  it("say since when, how many, and why IPv6 is off", () => {
    const [started, clients, ipv6] = detailsOf(RUNNING, NOW_MS, words);
    expect(started?.value).toBe("2 hours ago");
    expect(clients?.value).toBe("2 of 5 connected");
    expect(ipv6).toMatchObject({ value: "Off", note: "No IPv6 here." });
    expect(detailsOf(state({ phase: "stopped", since }), NOW_MS, words)).toEqual([]);
  });
});
