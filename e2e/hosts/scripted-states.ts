/** States of a node that are hard to bring about, in the sentences that a real node says. */
import { randomBytes } from "node:crypto";
import type { Client } from "../../src-shared/model/client.ts";
import type { Health, HealthFact, HealthFactCode } from "../../src-shared/model/health.ts";
import type { NatPath } from "../../src-shared/model/nat-path.ts";
import type { ExitState, NodeState } from "../../src-shared/model/node-state.ts";
import type { PrivacyState } from "../../src-shared/model/privacy.ts";
import type { Reachability } from "../../src-shared/model/reachability.ts";
import type { RelayLinkState } from "../../src-shared/model/relay-link.ts";
import { DEFAULT_SETTINGS, type Settings } from "../../src-shared/model/settings.ts";
import type { HiggsError } from "../../src-shared/result.ts";
import type { ScriptedWorld } from "./scripted-node.ts";

/** Public space on purpose, as in the lab: addresses for documentation do not count as public. */
export const PUBLIC_ADDRESS = "11.22.33.2";
export const ENDPOINT = { host: PUBLIC_ADDRESS, port: 51820 };

/** Drawn anew for every run: none of them opens anything. */
export const KEYS = Array.from({ length: 4 }, () => randomBytes(32).toString("base64"));

export const CONFIGURATION = `[Interface]
PrivateKey = ${KEYS[1]}
Address = 10.66.0.2/32, fd66::2/128
DNS = 10.66.0.1

[Peer]
PublicKey = ${KEYS[0]}
AllowedIPs = 0.0.0.0/0, ::/0
Endpoint = ${ENDPOINT.host}:${ENDPOINT.port}
`;

/** RFC 3339, that long before now. */
export function ago(seconds: number): string {
  return new Date(Date.now() - seconds * 1_000).toISOString();
}

export function ahead(seconds: number): string {
  return ago(-seconds);
}

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

export const RELAY_CONNECTED: RelayLinkState = {
  state: "connected",
  since: ago(5_000),
  url: "wss://relay.example.org",
  rttMs: 31.6,
  publicEndpoint: { host: "11.22.44.9", port: 40_123 },
  nodeId: "n1",
  sessions: 2,
  rxBytes: 51_000_000,
  txBytes: 480_000_000,
  dropped: 0,
};

const RELAY_MEANWHILE = {
  code: "relay-meanwhile",
  text: "Nothing has to be done at once: the relay carries your guests meanwhile.",
} as const;
const SET_UP_RELAY = {
  code: "set-up-relay",
  text: "Name a relay in the settings; it carries guests where no router lets them in.",
} as const;

const TWO_ROUTERS: HiggsError = {
  code: "double-nat",
  message: "Two routers stand between this computer and the internet (192.168.1.1 and 192.168.88.1).",
  hint: "Make the outer one forward to the inner one, or pass its public address on (bridge mode).",
};

const SHARED_ADDRESS: HiggsError = {
  code: "carrier-nat",
  message: "Your provider shares one public address among several customers (carrier-grade NAT).",
  hint: "Ask your provider for a public IPv4 address of your own.",
};

const NO_RELAY: HiggsError = {
  code: "no-relay",
  message: "Nobody on the internet was asked whether this computer can be reached, because no relay is set.",
  hint: "Name a relay in the settings; it also tries whether guests reach you without it.",
};

/** Where the router's door leads nowhere, all that is left is this computer's address at home. */
const AT_HOME = { endpoint: { host: "192.168.1.10", port: 51820 }, ipv6: null, source: "uplink" } as const;

/** Nobody gets in: `path` says why, and where there is a relay it has tried. */
function closed(path: Extract<NatPath, { state: "known" }>, relay: RelayLinkState): NodeState {
  const reason = path.reason ?? TWO_ROUTERS;
  const { advice } = path;
  const tried = { endpoint: ENDPOINT, since: ago(900), checkedAt: ago(100), reason, advice };
  const bad = aFact("reachability", { severity: "warning", state: "bad", error: reason, since: ago(900) });
  return {
    ...sharing({ reach: AT_HOME, clients: { total: 3, connected: 0 } }),
    relay,
    natPath: path,
    reachability: relay.state === "off" ? { state: "unknown", reason: NO_RELAY } : { state: "unreachable", ...tried },
    pinhole: { state: "off" },
    health: aHealth("attention", [bad]),
  };
}

/** A second router at home, and no relay. */
export function doubleNat(relay: RelayLinkState = { state: "off" }): NodeState {
  const state = closed(
    {
      state: "known",
      verdict: "double-nat",
      hops: [
        {
          kind: "home-router",
          address: "192.168.1.1",
          externalAddress: "192.168.88.2",
          learntFrom: ["default-route", "upnp"],
        },
        {
          kind: "second-router",
          address: "192.168.88.1",
          externalAddress: PUBLIC_ADDRESS,
          learntFrom: ["expired-packet", "outside"],
        },
      ],
      publicAddress: PUBLIC_ADDRESS,
      reason: TWO_ROUTERS,
      advice: [
        {
          code: "bridge-mode",
          text: "Put the box from your provider into bridge mode (also called modem mode), so that your own router gets the public address.",
        },
        {
          code: "forward-on-second-router",
          text: "In the settings of the outer router (192.168.88.1), forward UDP port 51820 to your own router (192.168.88.2), or name that router as exposed host (DMZ).",
        },
        relay.state === "connected" ? RELAY_MEANWHILE : SET_UP_RELAY,
      ],
    },
    relay,
  );
  return state.portMapping.state === "mapped"
    ? { ...state, portMapping: { ...state.portMapping, external: { host: "192.168.88.2", port: 51820 } } }
    : state;
}

/** The provider's own translation. */
export function carrierNat(relay: RelayLinkState = { state: "off" }): NodeState {
  return {
    ...closed(
      {
        state: "known",
        verdict: "carrier-nat",
        hops: [
          {
            kind: "home-router",
            address: "192.168.1.1",
            externalAddress: "100.64.0.2",
            learntFrom: ["default-route", "nat-pmp"],
          },
          { kind: "carrier", address: "100.64.0.1", externalAddress: PUBLIC_ADDRESS, learntFrom: ["outside"] },
        ],
        publicAddress: PUBLIC_ADDRESS,
        reason: SHARED_ADDRESS,
        advice: [
          {
            code: "ask-for-public-address",
            text: "Ask your provider for a public IPv4 address of your own; some give one for the asking, some for a fee.",
          },
          relay.state === "connected" ? RELAY_MEANWHILE : SET_UP_RELAY,
        ],
      },
      relay,
    ),
    portMapping: {
      state: "unavailable",
      since: ago(800),
      reason: {
        code: "mapping-refused",
        message: "Your router refuses to forward ports for this computer.",
        hint: "Allow it in your router's settings (UPnP or port mapping), or forward the port by hand.",
      },
      nextProbeAt: ahead(200),
    },
  };
}

/** Behind two routers, with guests on the relay. */
export function relayed(): NodeState {
  const state = doubleNat(RELAY_CONNECTED);
  const exit = anExit({ reach: AT_HOME });
  return { ...state, node: { phase: "running", since: ago(5_400), exit }, health: aHealth("good") };
}

export const ROUTES_GONE: HiggsError = {
  code: "spec-drift",
  message: "There is no default route.",
  hint: "Connect this computer to the internet.",
};

/** The router went away: the node says so, and tries by itself. */
export function degraded(): NodeState {
  const cause = aFact("networkRoute", { state: "bad", since: ago(40), error: ROUTES_GONE });
  const symptom = aFact("egressIpv4", {
    state: "bad",
    since: ago(35),
    silencedBy: "networkRoute",
    error: {
      code: "egress-failed",
      message: "Nobody on the internet answers to the guests' IPv4 connections.",
      hint: "Look whether this computer itself can open a website; if not, restart the router or ask your provider.",
    },
  });
  return {
    ...sharing(),
    node: { phase: "degraded", since: ago(40), exit: anExit(), problems: [ROUTES_GONE] },
    health: aHealth("bad", [cause, symptom]),
  };
}

export function recovering(attempt: number): NodeState {
  const state = degraded();
  return {
    ...state,
    node: { phase: "recovering", since: ago(40), cause: ROUTES_GONE, attempt, exit: anExit() },
    health: {
      ...state.health,
      recovery: { state: "running", cause: "networkRoute", step: "apply", attempt, since: ago(12) },
    },
  };
}

/** Between two attempts. */
export function waitingToRecover(attempt: number): NodeState {
  const state = degraded();
  const recovery = { state: "waiting", cause: "networkRoute", attempt, since: ago(30), nextAt: ahead(25) } as const;
  return { ...state, health: { ...state.health, recovery } };
}

export const HELPER_REFUSED: HiggsError = {
  code: "helper-refused",
  message: "Permission to change the network was not given.",
  hint: "Switch sharing on again and confirm the prompt.",
};

export const NO_NETWORK: HiggsError = {
  code: "no-uplink",
  message: "There is no uplink.",
  hint: "Connect this computer to the internet.",
};

export function failed(error: HiggsError): NodeState {
  return { ...STOPPED, node: { phase: "failed", since: ago(3), error } };
}

export function aClient(changes: Partial<Client> = {}): Client {
  return {
    id: "c1",
    name: "Anna's phone",
    publicKey: KEYS[2] ?? "",
    addresses: ["10.66.0.2", "fd66:1:2:3::2"],
    createdAt: ago(864_000),
    paused: false,
    connected: false,
    usage: { rxBytes: 0, txBytes: 0 },
    ...changes,
  };
}

/** One of each: connected directly with limits, through the relay, away, paused, its quota used up, outside its hours. */
export function someClients(): Client[] {
  const usage = { rxBytes: 212_000_000, txBytes: 3_400_000_000 };
  const quota = {
    bytes: 50_000_000_000,
    usedBytes: 43_000_000_000,
    action: "pause",
    resetDay: 1,
    timeZone: "Europe/Berlin",
    since: "2026-11-01",
    exhausted: false,
  } as const;
  const schedule = {
    timeZone: "Europe/Berlin",
    windows: [{ days: ["mon", "tue", "wed", "thu", "fri"], from: "08:00", to: "18:00" }],
    outside: "pause",
  } satisfies NonNullable<Client["limit"]>["schedule"];
  return [
    aClient({
      connected: true,
      way: "direct",
      usage,
      lastHandshakeAt: ago(20),
      rate: { rxBytesPerSecond: 31_000, txBytesPerSecond: 1_240_000 },
      limit: { down: "10mbit", up: "5mbit", state: "limited" },
      quota,
    }),
    aClient({
      id: "c2",
      addresses: ["10.66.0.3"],
      name: "Boris",
      connected: true,
      way: "relay",
      usage,
      lastHandshakeAt: ago(50),
      rate: { rxBytesPerSecond: 2_100, txBytesPerSecond: 88_000 },
    }),
    aClient({ id: "c3", addresses: ["10.66.0.4"], name: "Living room TV", lastHandshakeAt: ago(90_000), usage }),
    aClient({ id: "c4", addresses: ["10.66.0.5"], name: "Lena", paused: true, lastHandshakeAt: ago(7_000) }),
    aClient({
      id: "c5",
      addresses: ["10.66.0.6"],
      name: "Old laptop",
      limit: { state: "paused-by-quota" },
      quota: { ...quota, usedBytes: 50_000_000_000, exhausted: true },
      lastHandshakeAt: ago(3_600),
    }),
    aClient({
      id: "c6",
      addresses: ["10.66.0.7"],
      name: "Office",
      limit: { down: "20mbit", schedule, state: "paused-by-schedule" },
    }),
  ];
}

export function manyClients(count: number): Client[] {
  return Array.from({ length: count }, (_, at) =>
    aClient({
      id: `m${at}`,
      name: `Client ${String(at).padStart(4, "0")}`,
      addresses: [`10.66.${at >> 8}.${at & 255}`],
      connected: at % 3 === 0,
      ...(at % 3 === 0 ? { way: "direct" as const, rate: { rxBytesPerSecond: at, txBytesPerSecond: at * 40 } } : {}),
      usage: { rxBytes: at * 1_000, txBytes: at * 90_000 },
      lastHandshakeAt: ago(at),
    }),
  );
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
