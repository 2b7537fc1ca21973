/** What each call of the contract does with the parts of the node. */
import type { Clock } from "../../src-shared/clock.ts";
import type { CallHandlers, EventName } from "../../src-shared/ipc/contract.ts";
import type { Client } from "../../src-shared/model/client.ts";
import type { NodeState, PhaseState } from "../../src-shared/model/node-state.ts";
import type { Settings } from "../../src-shared/model/settings.ts";
import { HiggsFailure, type Result, unwrap } from "../../src-shared/result.ts";
import type { GuestPrefixes } from "../clients/address-allocator.ts";
import { type ClientRecord, toClient } from "../clients/client-record.ts";
import type { ClientRegistry } from "../clients/client-registry.ts";
import type { DiagnosisHandlers } from "../diagnostics/diagnosis-handlers.ts";
import type { JoinedHealth } from "../health/join-health.ts";
import type { CallContext } from "../ipc/node-api.ts";
import type { ClientRateLimiter } from "../limits/client-rate-limiter.ts";
import { type LimitParts, limitHandlers } from "../limits/limit-handlers.ts";
import type { PortForwardingService } from "../port-forwarding/port-forwarding-service.ts";
import type { JoinedPrivacy } from "../privacy/join-privacy.ts";
import type { ReachabilityService } from "../reachability/reachability-service.ts";
import type { SettingsStore } from "../storage/settings-store.ts";
import type { TrafficMonitor } from "../traffic/traffic-monitor.ts";
import { type ClientConfigParts, type ClientKey, clientConfig } from "./config-for-client.ts";
import type { HostFacts } from "./host-facts.ts";
import type { NodeFacts } from "./node-facts.ts";
import type { NodeService } from "./node-service.ts";
import type { Published } from "./published.ts";

/** Stands in for a key while it is asked whether a configuration could be made. */
const NO_KEY: ClientKey = { privateKey: "x", shownUntilMs: null };

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
  relay: ClientConfigParts["relay"];
  privacy: JoinedPrivacy["handlers"];
  hostFacts: HostFacts;
  traffic: TrafficMonitor["handlers"];
  health: JoinedHealth["handlers"];
  restoreNetwork: () => Promise<{ left: string[] }>;
  reachability: Pick<ReachabilityService, "refresh">;
  pinhole: ClientConfigParts["pinhole"];
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

  const configParts = { ...parts, settings: () => settings.get(), shown };

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
        unwrap(clientConfig(configParts, unwrap(registry.find(name)), NO_KEY, via));
        unwrap(registry.rotateKey(name));
        await node.settle();
      }
      const record = unwrap(registry.find(name));
      return unwrap(clientConfig(configParts, record, unwrap(registry.privateKeyOf(record.id)), via));
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
