/** How guests come in, in one sentence, and the chain from the internet to this computer. Pure. */
import type { NatHop, NatPath, NatVerdict } from "../../../src-shared/model/nat-path.ts";
import { exitOf, type NodeState } from "../../../src-shared/model/node-state.ts";
import { mappedEndpoint, type PortMappingState } from "../../../src-shared/model/port-mapping.ts";
import { guestWay, whyClosed } from "../../../src-shared/text/headline.ts";

/** The sentence's key under `network.answer`, and what it means to the owner. */
export interface Answer {
  readonly key: "off" | "busy" | "direct" | "relayed" | "checking" | "unproven" | "closed" | "unknown";
  readonly tone: "off" | "busy" | "good" | "unknown" | "attention";
}

export function answerOf(state: NodeState): Answer {
  const exit = exitOf(state.node);
  if (exit === undefined) {
    return state.node.phase === "starting" ? { key: "busy", tone: "busy" } : { key: "off", tone: "off" };
  }
  switch (guestWay(state, exit)) {
    case "direct":
      return { key: "direct", tone: "good" };
    case "relay":
      return { key: "relayed", tone: "good" };
    case "unproven":
      return state.reachability.state === "checking"
        ? { key: "checking", tone: "busy" }
        : { key: "unproven", tone: "unknown" };
    case "none":
      return whyClosed(state) === undefined
        ? { key: "unknown", tone: "attention" }
        : { key: "closed", tone: "attention" };
  }
}

/**
 * `good` and `stops` are proven by a knock from outside that was answered, or was not; `granted` is what a router says
 * of itself, `suspect` what the addresses alone tell; `ready` is this computer while it shares.
 */
export type HopState = "good" | "granted" | "ready" | "stops" | "suspect" | "unknown" | "off";

export interface ChainHop {
  readonly kind: "internet" | "provider" | NatHop["kind"] | "computer";
  /** Null where the hop's part in it is not known and not asked: the internet, a provider who passes everything on. */
  readonly state: HopState | null;
  /** On the side of this computer. */
  readonly inside: string | null;
  /** On the side of the internet. */
  readonly outside: string | null;
  readonly port: number | null;
  readonly learntFrom: readonly NatHop["learntFrom"][number][];
}

const PLAIN = { state: null, inside: null, outside: null, port: null, learntFrom: [] } as const;

/** From the internet inwards. Routers appear once something is known of them. */
export function chainOf(state: NodeState): ChainHop[] {
  const { natPath, reachability, portMapping } = state;
  const exit = exitOf(state.node);
  const publicAddress = natPath.state === "known" ? natPath.publicAddress : null;
  const seenAs = publicAddress ?? (reachability.state === "reachable" ? reachability.endpoint.host : null);
  const hops = natPath.state === "known" ? natPath.hops : hopsOfMapping(portMapping);
  const blocker = blockerOf(state);
  const middle = [...hops].reverse().map(
    (hop): ChainHop => ({
      kind: hop.kind,
      state: exit === undefined ? "off" : hopState(hop, state, blocker),
      inside: hop.address,
      outside: hop.externalAddress,
      port: null,
      learntFrom: hop.learntFrom,
    }),
  );
  const provider: ChainHop[] = hops.some(({ kind }) => kind === "carrier") ? [] : [{ ...PLAIN, kind: "provider" }];
  return [
    { ...PLAIN, kind: "internet", outside: seenAs },
    ...provider,
    ...middle,
    {
      ...PLAIN,
      kind: "computer",
      state: exit === undefined ? "off" : computerState(state, blocker),
      outside: natPath.state === "known" && natPath.verdict === "no-nat" ? natPath.publicAddress : null,
      port: exit?.listenPort ?? null,
    },
  ];
}

function hopsOfMapping(mapping: PortMappingState): readonly NatHop[] {
  if (mapping.state === "mapped") {
    return [
      {
        kind: "home-router",
        address: mapping.gateway,
        externalAddress: mapping.external.host,
        learntFrom: [mapping.protocol],
      },
    ];
  }
  if (mapping.state !== "probing") return [];
  return [{ kind: "home-router", address: mapping.gateway, externalAddress: null, learntFrom: ["default-route"] }];
}

type Blocker = NatHop["kind"] | "computer" | undefined;

const BLOCKER: Readonly<Record<NatVerdict, Blocker>> = {
  "no-nat": "computer",
  "one-nat": "home-router",
  "double-nat": "second-router",
  "carrier-nat": "carrier",
  "another-nat": "second-router",
  "false-address": "second-router",
};

/** Who would be the one to stop guests; undefined where guests get in, or nothing speaks against it. */
function blockerOf({ natPath, reachability, portMapping }: NodeState): Blocker {
  if (reachability.state === "reachable") return undefined;
  const proven = reachability.state === "unreachable";
  if (natPath.state === "unknown") return proven ? "home-router" : undefined;
  const suspect = BLOCKER[natPath.verdict];
  if (natPath.verdict === "one-nat") return proven || portMapping.state === "unavailable" ? suspect : undefined;
  if (natPath.verdict === "no-nat") return proven ? suspect : undefined;
  // The provider stands where the second router would be when this computer itself has a public address.
  return natPath.hops.some(({ kind }) => kind === suspect) ? suspect : natPath.hops.at(-1)?.kind;
}

function hopState({ kind }: NatHop, { reachability, portMapping }: NodeState, blocker: Blocker): HopState {
  if (reachability.state === "reachable") return "good";
  if (kind === blocker) return reachability.state === "unreachable" ? "stops" : "suspect";
  if (kind !== "home-router") return "unknown";
  return portMapping.state === "mapped" ? "granted" : "unknown";
}

function computerState({ reachability }: NodeState, blocker: Blocker): HopState {
  if (reachability.state === "reachable") return "good";
  return blocker === "computer" ? "suspect" : "ready";
}

/** Whether the verdict needs words beyond the picture: something stands in the way, or nothing comes through. */
export function isTroubling(natPath: NatPath): natPath is NatPath & { state: "known" } {
  return natPath.state === "known" && natPath.reason !== null;
}

/** Whether the router granted a door that is not on the internet. */
export function isPrivateMapping(mapping: PortMappingState): boolean {
  return mapping.state === "mapped" && mappedEndpoint(mapping) === undefined;
}
