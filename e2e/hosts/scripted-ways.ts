/** Ways in that are closed, in the sentences that a real node says: two routers, a shared address, the relay. */
import type { NatPath } from "../../src-shared/model/nat-path.ts";
import type { NodeState } from "../../src-shared/model/node-state.ts";
import type { RelayLinkState } from "../../src-shared/model/relay-link.ts";
import type { HiggsError } from "../../src-shared/result.ts";
import { aFact, aHealth, anExit, sharing } from "./scripted-states.ts";
import { ago, ahead, ENDPOINT, PUBLIC_ADDRESS } from "./scripted-values.ts";

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
