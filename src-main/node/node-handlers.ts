/** What each call of the contract does with the parts of the node. */

import type { Clock } from "../../src-shared/clock.ts";
import type { CallHandlers, CallParsed, EventName } from "../../src-shared/ipc/contract.ts";
import type { Client, ClientConfig } from "../../src-shared/model/client.ts";
import { exitOf, type NodeState, type PhaseState } from "../../src-shared/model/node-state.ts";
import type { Pinhole } from "../../src-shared/model/pinhole.ts";
import { mappedEndpoint } from "../../src-shared/model/port-mapping.ts";
import type { Settings } from "../../src-shared/model/settings.ts";
import { formatAddress, splitPrefix } from "../../src-shared/net/address.ts";
import { type Endpoint, formatEndpoint } from "../../src-shared/net/endpoint.ts";
import { fail, HiggsFailure, ok, type Result, unwrap } from "../../src-shared/result.ts";
import type { GuestPrefixes } from "../clients/address-allocator.ts";
import { addressesOf, nodeAddressesOf } from "../clients/address-allocator.ts";
import { type ClientRecord, toClient } from "../clients/client-record.ts";
import type { ClientRegistry } from "../clients/client-registry.ts";
import type { DiagnosisHandlers } from "../diagnostics/diagnosis-handlers.ts";
import type { JoinedHealth } from "../health/join-health.ts";
import type { CallContext } from "../ipc/node-api.ts";
import type { Ipv6Pinhole } from "../ipv6/ipv6-pinhole.ts";
import type { ClientRateLimiter } from "../limits/client-rate-limiter.ts";
import { type LimitParts, limitHandlers } from "../limits/limit-handlers.ts";
import type { PortForwardingService } from "../port-forwarding/port-forwarding-service.ts";
import type { JoinedPrivacy } from "../privacy/join-privacy.ts";
import type { ReachabilityService } from "../reachability/reachability-service.ts";
import type { RelayService } from "../relay/relay-service.ts";
import { throughBridge, throughUdp } from "../relay/relayed-config.ts";
import type { SettingsStore } from "../storage/settings-store.ts";
import type { TrafficMonitor } from "../traffic/traffic-monitor.ts";
import { renderClientConfig } from "../wireguard/client-config.ts";
import type { HostFacts } from "./host-facts.ts";
import type { NodeFacts } from "./node-facts.ts";
import type { NodeService } from "./node-service.ts";
import type { Published } from "./published.ts";

type Via = CallParsed<"clients.config">["via"];

export interface NodeParts {
  clock: Clock;
  version: string;
  dataDir: string;
  node: NodeService;
  registry: ClientRegistry;
  limiter: ClientRateLimiter;
  observeLimit: LimitParts["observeLimit"];
  settings: SettingsStore;
  facts: NodeFacts;
  relay: Pick<RelayService, "place">;
  privacy: JoinedPrivacy["handlers"];
  hostFacts: HostFacts;
  traffic: TrafficMonitor["handlers"];
  health: JoinedHealth["handlers"];
  restoreNetwork: () => Promise<{ left: string[] }>;
  reachability: Pick<ReachabilityService, "refresh">;
  pinhole: Pick<Ipv6Pinhole, "state">;
  ports: Pick<PortForwardingService, "state" | "known" | "refresh" | "cleanup">;
  /** The prefixes clients have their addresses from, also before the node has ever shared. */
  prefixes: () => GuestPrefixes;
  diagnosis: DiagnosisHandlers;
  published: {
    state: Published<NodeState>;
    clients: Published<Client[]>;
    settings: Published<Settings>;
  };
  emit: (name: EventName, payload: unknown) => void;
}

export function nodeHandlers(parts: NodeParts): CallHandlers<CallContext> {
  const { node, registry, settings, published } = parts;
  const shown = (record: ClientRecord): Client =>
    toClient(record, parts.prefixes(), parts.clock.nowMs(), { limits: parts.limiter.describe(record) });

  /** A change of who may use the node is answered once the tunnel knows. */
  async function changeClient(change: () => Result<ClientRecord>): Promise<Client> {
    const record = unwrap(change());
    await node.settle();
    return shown(record);
  }

  return {
    "node.state": async () => published.state.current,
    "node.on": async () => {
      unwrap(await node.on());
      return published.state.current;
    },
    "node.off": async () => {
      unwrap(await node.off());
      // Begun already; answered once the router has been told.
      await parts.ports.cleanup();
      return published.state.current;
    },
    "clients.list": async () => published.clients.current,
    "clients.add": ({ name }) => changeClient(() => registry.add(name)),
    "clients.remove": ({ name }) => changeClient(() => registry.remove(name)),
    "clients.pause": ({ name }) => changeClient(() => registry.pause(name)),
    "clients.resume": ({ name }) => changeClient(() => registry.resume(name)),
    "clients.config": async ({ name, newKey, via }) => {
      // A node that has just begun to share finds out within seconds where guests reach it.
      if (via === "direct") await parts.ports.known();
      if (newKey) {
        // Everything that could be missing is asked before the key that works is thrown away.
        unwrap(clientConfig(parts, via, unwrap(registry.find(name)), "x", null));
        unwrap(registry.rotateKey(name));
        await node.settle();
      }
      const record = unwrap(registry.find(name));
      const { privateKey, shownUntilMs } = unwrap(registry.privateKeyOf(record.id));
      return unwrap(clientConfig(parts, via, record, privateKey, shownUntilMs));
    },
    ...limitHandlers({
      clock: parts.clock,
      limiter: parts.limiter,
      registry,
      settings: () => settings.get(),
      settle: () => node.settle(),
      observeLimit: parts.observeLimit,
      shown,
    }),
    "settings.get": async () => published.settings.current,
    "settings.set": async ({ changes }) => {
      const before = settings.get();
      const problems = problemCodes(node.state);
      unwrap(settings.set(changes));
      const settled = await node.settle();
      // A problem that was there before is not the change's fault.
      if (!settled.ok && !problems.includes(settled.error.code)) {
        // What the machine refuses is not kept: the next start would fail on it.
        const former = Object.fromEntries(Object.entries(before).filter(([key]) => Object.hasOwn(changes, key)));
        unwrap(settings.set(former));
        await node.settle();
        throw new HiggsFailure(settled.error);
      }
      return published.settings.current;
    },
    "ports.refresh": async () => {
      await parts.ports.refresh();
      await parts.reachability.refresh();
      return published.state.current;
    },
    ...parts.privacy,
    ...parts.traffic,
    "node.restoreNetwork": () => parts.restoreNetwork(),
    ...parts.health,
    ...parts.diagnosis,
    "host.facts": async () => parts.hostFacts,
  };
}

function problemCodes(state: PhaseState): string[] {
  switch (state.phase) {
    case "degraded":
      return state.problems.map(({ code }) => code);
    case "recovering":
      return [state.cause.code];
    case "failed":
      return [state.error.code];
    case "stopped":
    case "starting":
    case "running":
    case "stopping":
      return [];
  }
}

/** What a configuration says of the way to the node. */
interface Way {
  endpoint: Endpoint;
  mtu: number;
  allowedIps?: readonly string[];
  /** Comment lines for its top. */
  heading: readonly string[];
}

/** Errors: `no-endpoint`, `relay-not-connected`, `relay-address-unknown`. */
function wayTo({ node, settings, relay, ports, pinhole }: NodeParts, via: Via): Result<Way> {
  const { publicEndpoint, mtu } = settings.get();
  if (via !== "direct") {
    const place = relay.place(settings.get());
    if (!place.ok) return place;
    return via === "relay" ? ok(throughUdp(place.value, mtu)) : throughBridge(place.value, mtu);
  }
  const reach = exitOf(node.state)?.reach;
  // A router may be wrong about where it is; a handshake from outside is not.
  const proven = reach?.source === "proven" ? reach.endpoint : null;
  const found = proven ?? mappedEndpoint(ports.state) ?? reach?.endpoint;
  const endpoint = publicEndpoint === "auto" ? found : publicEndpoint;
  if (endpoint === undefined || endpoint === null) {
    return fail(
      "no-endpoint",
      "It is not known where guests reach this node.",
      "Turn sharing on, or say it yourself: higgsnode settings set publicEndpoint=home.example.org:51820",
    );
  }
  return ok({ endpoint, mtu, heading: overIpv6(pinhole.state) });
}

/** For guests who have IPv6 where they are: the other way in, which no address translation stands in. */
function overIpv6(pinhole: Pinhole): string[] {
  if (pinhole.state !== "open") return [];
  return [`# Where you have IPv6, this works too: Endpoint = ${formatEndpoint(pinhole.endpoint)}`];
}

/** Errors: `not-shared-yet`, `guest-network-full`, and those of `wayTo`. */
function clientConfig(
  parts: NodeParts,
  via: Via,
  record: ClientRecord,
  privateKey: string,
  shownUntilMs: number | null,
): Result<ClientConfig> {
  const { node, facts } = parts;
  const exit = exitOf(node.state);
  const serverPublicKey = exit?.publicKey ?? facts.publicKey;
  if (serverPublicKey === undefined) {
    return fail("not-shared-yet", "The node has no key before it has shared once.", "Turn sharing on: higgsnode on");
  }
  const way = wayTo(parts, via);
  if (!way.ok) return way;
  const { heading, ...route } = way.value;
  const prefixes = parts.prefixes();
  const addresses = addressesOf(record.hostNumber, prefixes);
  if (addresses === undefined) {
    return fail("guest-network-full", `The guest network is too small for ${record.name}.`, "Choose a larger one.");
  }
  const config = renderClientConfig({
    privateKey,
    addresses,
    dns: nodeAddressesOf(prefixes).flatMap((text) => {
      const own = splitPrefix(text);
      return own === undefined ? [] : formatAddress(own.address);
    }),
    serverPublicKey,
    presharedKey: record.presharedKey,
    ...route,
  });
  return ok({
    client: toClient(record, prefixes, parts.clock.nowMs(), { limits: parts.limiter.describe(record) }),
    config: [...heading, config].join("\n"),
    ...(shownUntilMs === null ? {} : { shownUntil: new Date(shownUntilMs).toISOString() }),
  });
}
