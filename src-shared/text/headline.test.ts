import { describe, expect, it } from "vitest";
import type { ExitState, PhaseState } from "../model/node-state.ts";
import { en } from "./en.ts";
import { headlineOf } from "./headline.ts";

const since = "2026-01-01T12:00:00.000Z";
const error = { code: "nat-missing", message: "the NAT rules are gone", hint: "Wait a moment." };

function exit(connected: number, known = true): ExitState {
  return {
    interfaceName: "higgs0",
    implementation: "kernel",
    listenPort: 51820,
    publicKey: "key",
    guestPrefixes: { ipv4: "10.66.0.0/16", ipv6: null },
    uplink: { ipv4: "eth0", ipv6: null },
    reach: known
      ? { endpoint: { host: "203.0.113.7", port: 51820 }, source: "owner" }
      : { endpoint: null, source: "none" },
    ipv6: { state: "on", mode: "nat66" },
    clients: { total: 5, connected },
    traffic: { rxBytes: 0, txBytes: 0 },
  };
}

describe("the headline", () => {
  it.each<[PhaseState, string, string]>([
    [{ phase: "stopped", since }, "off", "Not sharing"],
    [{ phase: "starting", since, step: "helper" }, "busy", "Starting to share"],
    [{ phase: "running", since, exit: exit(0) }, "good", "Sharing. Nobody connected"],
    [{ phase: "running", since, exit: exit(1) }, "good", "Sharing. 1 person connected"],
    [{ phase: "running", since, exit: exit(3) }, "good", "Sharing. 3 people connected"],
    [{ phase: "running", since, exit: exit(0, false) }, "attention", "Sharing, but nobody can find this computer yet"],
    [{ phase: "degraded", since, exit: exit(0), problems: [error] }, "attention", "Sharing, with a problem"],
    [{ phase: "recovering", since, exit: exit(0), cause: error, attempt: 2 }, "busy", "Repairing the connection"],
    [{ phase: "stopping", since }, "busy", "Stopping"],
    [{ phase: "failed", since, error }, "attention", "Sharing did not work"],
  ])("of %j", (node, tone, sentence) => {
    expect(headlineOf(node, en)).toMatchObject({ tone, sentence });
  });

  it("says every problem, and what to do about it", () => {
    const node: PhaseState = {
      phase: "degraded",
      since,
      exit: exit(0),
      problems: [error, { code: "x", message: "Also this." }],
    };
    expect(headlineOf(node, en).detail).toBe("The NAT rules are gone. Wait a moment. Also this.");
  });
});
