/** A scripted node that is well, off, or on its way, and the world around it. */
import type { Health, HealthFact, HealthFactCode } from "../../src-shared/model/health.ts";
import type { NatPath } from "../../src-shared/model/nat-path.ts";
import type { ExitState, NodeState } from "../../src-shared/model/node-state.ts";
import type { PrivacyState } from "../../src-shared/model/privacy.ts";
import type { Reachability } from "../../src-shared/model/reachability.ts";
import { DEFAULT_SETTINGS, type Settings } from "../../src-shared/model/settings.ts";
import type { HiggsError } from "../../src-shared/result.ts";
import { KEYS, someClients } from "./scripted-clients.ts";
import type { ScriptedWorld } from "./scripted-node.ts";
import { ago, ahead, ENDPOINT, PUBLIC_ADDRESS } from "./scripted-values.ts";

const NOT_SHARING: HiggsError = { code: "not-sharing", message: "The node does not share at present." };

const FACTS: readonly HealthFactCode[] = [
  ...(["helper", "networkRoute", "wireguard", "routing", "nat", "addressConflict", "limits", "dns"] as const),
  ...(["egressIpv4", "egressIpv6", "portMapping", "reachability", "relay", "disk", "clock"] as const),
];

export function aFact(code: HealthFactCode, changes: Partial<HealthFact> = {}): HealthFact {
  const fact = { code, severity: "error", cutsConnectivity: true, state: "good", since: ago(5_400), waiting: false };
  return { ...fact, ...changes } as HealthFact;
}

/** Good but for the facts that are given. */
export function aHealth(overall: Health["overall"], bad: readonly HealthFact[] = []): Health {
  const facts = FACTS.map((code) => bad.find((fact) => fact.code === code) ?? aFact(code));
  return { overall, facts, checkedAt: ago(4), recovery: { state: "idle" }, keepAwake: false };
}

const HEALTH_OFF: Health = {
  overall: "off",
  facts: FACTS.map((code) => aFact(code, { state: "off" })),
  checkedAt: null,
  recovery: { state: "idle" },
  keepAwake: false,
};

export const STOPPED: NodeState = {
  version: "0.1.0",
  node: { phase: "stopped", since: ago(60) },
  relay: { state: "off" },
  portMapping: { state: "off" },
  reachability: { state: "unknown", reason: NOT_SHARING },
  natPath: { state: "unknown", reason: NOT_SHARING },
  pinhole: { state: "off" },
  health: HEALTH_OFF,
};

export function starting(step: "helper" | "verify"): NodeState {
  return { ...STOPPED, node: { phase: "starting", since: ago(1), step } };
}

export function anExit(changes: Partial<ExitState> = {}): ExitState {
  return {
    interfaceName: "higgs0",
    implementation: "kernel",
    listenPort: 51820,
    publicKey: KEYS[0] ?? "",
    guestPrefixes: { ipv4: "10.66.0.0/16", ipv6: "fd66:1:2:3::/64" },
    uplink: { ipv4: "eth0", ipv6: "eth0" },
    reach: { endpoint: ENDPOINT, ipv6: null, source: "proven" },
    ipv6: { state: "on", mode: "nat66", check: { outcome: "passed", at: ago(300) } },
    clients: { total: 3, connected: 2 },
    traffic: { rxBytes: 412_000_000, txBytes: 5_100_000_000 },
    ...changes,
  };
}

const REACHABLE: Reachability = {
  state: "reachable",
  endpoint: ENDPOINT,
  since: ago(5_000),
  provenAt: ago(200),
  ms: 23.4,
};

const ONE_ROUTER: NatPath = {
  state: "known",
  verdict: "one-nat",
  hops: [
    {
      kind: "home-router",
      address: "192.168.1.1",
      externalAddress: PUBLIC_ADDRESS,
      learntFrom: ["default-route", "upnp"],
    },
  ],
  publicAddress: PUBLIC_ADDRESS,
  reason: null,
  advice: [],
};

/** Sharing, reached directly, with a mapping of the router's. */
export function sharing(exit: Partial<ExitState> = {}): NodeState {
  return {
    ...STOPPED,
    node: { phase: "running", since: ago(5_400), exit: anExit(exit) },
    portMapping: {
      state: "mapped",
      since: ago(5_390),
      protocol: "upnp",
      gateway: "192.168.1.1",
      external: ENDPOINT,
      internalPort: 51820,
      leaseEndsAt: ahead(3_000),
      renewAt: ahead(1_500),
      fallbacks: ["nat-pmp"],
    },
    reachability: REACHABLE,
    natPath: ONE_ROUTER,
    pinhole: {
      state: "open",
      protocol: "pcp",
      endpoint: { host: "2a0a:77::10", port: 51820 },
      gateway: "fe80::1",
      leaseEndsAt: ahead(3_000),
    },
    health: aHealth("good"),
  };
}

export const PRIVACY: PrivacyState = {
  settings: { logTraffic: false, logDNS: false, logMetadata: true, anonymizeIPs: true, maxLogRetention: 7 },
  connectionLog: { state: "on" },
  lost: { kernel: 0, notWritten: 0 },
  lastRetention: null,
};

const WELCOMED: Settings = { ...DEFAULT_SETTINGS, language: "en", welcomed: true };

/** A node that shares and has clients, whose owner knows it; `changes` makes another one of it. */
export function aWorld(changes: Partial<ScriptedWorld> = {}): ScriptedWorld {
  return { node: sharing(), clients: someClients(), settings: WELCOMED, privacy: PRIVACY, ...changes };
}

/** As it is on the first day. */
export function newWorld(): ScriptedWorld {
  return aWorld({ node: STOPPED, clients: [], settings: { ...WELCOMED, welcomed: false } });
}
