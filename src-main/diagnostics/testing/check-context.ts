/** What checks look at, as values: a healthy machine, with and without a node that shares. */
import type { ExitState, PhaseState } from "../../../src-shared/model/node-state.ts";
import { DEFAULT_SETTINGS } from "../../../src-shared/model/settings.ts";
import type { NetworkObservation } from "../../../src-shared/network-observation.ts";
import { fail, ok } from "../../../src-shared/result.ts";
import { type PresentTunnel, samplePeer, sampleSpec, sampleTunnel } from "../../../src-shared/testing/sample-spec.ts";
import type { ExitPlan } from "../../node/exit-planner.ts";
import { CAPABILITIES, INSPECTION } from "../../node/testing/fake-machine.ts";
import { HOME, route } from "../../routing/testing/observation.ts";
import type { Check, CheckContext, MachineFacts, SharingFacts, Verdict } from "../check.ts";

export const NOW_MS = Date.UTC(2026, 6, 1);

export type Present = PresentTunnel;

const SPEC = { ...sampleSpec(), wireguard: { ...sampleSpec().wireguard, peers: [samplePeer(0), samplePeer(1)] } };

export const PLAN: ExitPlan = {
  spec: SPEC,
  tunnelAddresses: ["127.0.0.1"],
  uplink: { ipv4: "eth0", ipv6: "eth0" },
  reach: { endpoint: null, source: "none" },
  clientCount: 2,
  ipv6Off: undefined,
  route: { local: null, gateway: null },
  surroundings: { kind: "no-router" },
  problems: [],
};

export const EXIT: ExitState = {
  interfaceName: "higgs0",
  implementation: "kernel",
  listenPort: 51820,
  publicKey: "",
  guestPrefixes: { ipv4: SPEC.guests.ipv4, ipv6: SPEC.guests.ipv6 },
  uplink: PLAN.uplink,
  reach: PLAN.reach,
  ipv6: { state: "on", mode: "nat66" },
  clients: { total: 2, connected: 0 },
  traffic: { rxBytes: 0, txBytes: 0 },
};

export const RUNNING: PhaseState = { phase: "running", since: "2026-07-01T00:00:00.000Z", exit: EXIT };

export const PRESENT = sampleTunnel(SPEC);

/** The machine while the node shares. */
export const SHARING_MACHINE: NetworkObservation = {
  ...HOME,
  applied: { specHash: "abc" },
  wireguard: PRESENT,
  forwarding: { ipv4: { higgs0: true, eth0: true }, ipv6: true },
  firewall: { ipv4: { state: "matches" }, ipv6: { state: "matches" } },
  routes: [...HOME.routes, route("10.66.0.0/16 dev higgs0")],
};

/** A context without a node, as root sees it. */
export function alone(facts: Partial<MachineFacts> = {}, more: Partial<CheckContext> = {}): CheckContext {
  return {
    dataDir: "/nowhere",
    settings: { ...DEFAULT_SETTINGS, egressTargets: [] },
    nowMs: NOW_MS,
    machine: ok({ capabilities: CAPABILITIES, observation: HOME, inspection: INSPECTION, ...facts }),
    sharing: null,
    status: null,
    privacy: null,
    probe: null,
    ...more,
  };
}

/** A context of a node that shares; `seen` and `sharing` say what differs from a healthy one. */
export function sharing(
  seen: Partial<NetworkObservation> = {},
  facts: Partial<SharingFacts> = {},
  machine: Partial<MachineFacts> = {},
): CheckContext {
  return alone(
    { observation: { ...SHARING_MACHINE, ...seen }, ...machine },
    { sharing: { state: RUNNING, plan: PLAN, dnsPort: 20053, ipv6Failed: false, ...facts } },
  );
}

/** A context of somebody who is not root. */
export function unprivileged(): CheckContext {
  return alone({}, { machine: fail("not-permitted", "This needs root.", "Run it with sudo.") });
}

/** Runs one check of `checks` by its id. */
export async function verdictOf(checks: readonly Check[], id: string, context: CheckContext): Promise<Verdict> {
  const check = checks.find((one) => one.id === id);
  if (check === undefined) throw new Error(`there is no check ${id}`);
  return await check.run(context, new AbortController().signal);
}
