import { describe, expect, it } from "vitest";
import type { ExitState, NodeState, PhaseState } from "../../../src-shared/model/node-state.ts";
import { NOT_LOOKED } from "../../../src-shared/testing/not-looked.ts";
import { en } from "../../../src-shared/text/en.ts";
import { type OverviewInput, overviewOf } from "./overview-view.ts";

const since = "2026-01-01T12:00:00.000Z";
const EXIT: ExitState = {
  interfaceName: "higgs0",
  implementation: "kernel",
  listenPort: 51820,
  publicKey: "key",
  guestPrefixes: { ipv4: "10.66.0.0/16", ipv6: null },
  uplink: { ipv4: "eth0", ipv6: null },
  reach: { endpoint: { host: "2001:db8::7", port: 51820 }, source: "uplink" },
  ipv6: { state: "failed", error: { code: "x", message: "ip6tables is missing", hint: "Install it." } },
  clients: { total: 5, connected: 3 },
  traffic: { rxBytes: 2048, txBytes: 1 },
};

function view(node: PhaseState | undefined, changes: Partial<OverviewInput> = {}) {
  const state: NodeState | undefined = node && {
    version: "1",
    node,
    relay: { state: "off" },
    portMapping: { state: "off" },
    ...NOT_LOOKED,
  };
  const nowMs = Date.parse(since) + 120_000;
  return overviewOf({ connection: "open", node: state, switching: false, nowMs, ...changes }, en);
}

describe("the overview", () => {
  it("waits for the first state", () => {
    expect(view(undefined, { connection: "connecting" })).toMatchObject({
      headline: { tone: "busy", sentence: en.connection.connecting },
      toggle: { on: false, enabled: false },
      lost: false,
    });
    expect(view(undefined, { connection: "lost" }).headline.tone).toBe("attention");
  });

  it("shows what a sharing node does", () => {
    expect(view({ phase: "running", since, exit: EXIT })).toMatchObject({
      headline: { tone: "good", sentence: "Sharing. 3 people connected" },
      toggle: { on: true, enabled: true },
      endpoint: { text: "[2001:db8::7]:51820", copyable: true },
      facts: [
        { label: "From clients", value: "2.0 KiB" },
        { label: "To clients", value: "1 B" },
        { label: "IPv6", value: "Not working", note: "Ip6tables is missing. Install it." },
        { label: "WireGuard", value: "higgs0, port 51820" },
        { label: "Since", value: "2 minutes ago" },
      ],
    });
  });

  it("offers nothing to copy where no address is known", () => {
    const exit: ExitState = { ...EXIT, reach: { endpoint: null, source: "none" } };
    expect(view({ phase: "running", since, exit }).endpoint).toMatchObject({ copyable: false });
  });

  it("shows no endpoint and no facts of a node that does not share", () => {
    expect(view({ phase: "stopped", since })).toMatchObject({ endpoint: undefined, facts: [], toggle: { on: false } });
  });

  it.each<[PhaseState, boolean, boolean]>([
    [{ phase: "stopped", since }, false, true],
    [{ phase: "starting", since, step: "apply" }, true, true],
    [{ phase: "degraded", since, exit: EXIT, problems: [{ code: "x", message: "x" }] }, true, true],
    [{ phase: "stopping", since }, false, false],
    [{ phase: "failed", since, error: { code: "x", message: "x" } }, false, true],
  ])("has the switch in its place: %j", (node, on, enabled) => {
    expect(view(node).toggle).toEqual({ on, enabled });
  });

  it("takes no press while one is under way, except to stop a start", () => {
    expect(view({ phase: "stopped", since }, { switching: true }).toggle.enabled).toBe(false);
    expect(view({ phase: "starting", since, step: "helper" }, { switching: true }).toggle.enabled).toBe(true);
  });

  it("keeps the last state in sight when the connection is lost, and takes no press", () => {
    expect(view({ phase: "running", since, exit: EXIT }, { connection: "lost" })).toMatchObject({
      lost: true,
      headline: { tone: "good" },
      toggle: { on: true, enabled: false },
    });
  });
});
