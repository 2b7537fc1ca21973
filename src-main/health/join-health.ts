/** Joins health to the parts of the node: what they tell, what is tried, what is repaired, and what is kept. */
import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../src-shared/clock.ts";
import type { CallHandlers } from "../../src-shared/ipc/contract.ts";
import type { Health, HealthEvent, HealthFact } from "../../src-shared/model/health.ts";
import { exitOf, type PhaseState } from "../../src-shared/model/node-state.ts";
import type { PortMappingState } from "../../src-shared/model/port-mapping.ts";
import type { Reachability } from "../../src-shared/model/reachability.ts";
import type { RelayLinkState } from "../../src-shared/model/relay-link.ts";
import type { Settings } from "../../src-shared/model/settings.ts";
import { parseAddress } from "../../src-shared/net/address.ts";
import type { NetworkObservation } from "../../src-shared/network-observation.ts";
import type { CallContext } from "../ipc/node-api.ts";
import type { Logger } from "../logs/logger.ts";
import type { NodeService } from "../node/node-service.ts";
import type { RecoveryLine } from "../node/recovery-ladder.ts";
import { addressConflict } from "./address-conflict.ts";
import { probeDisk } from "./disk-probe.ts";
import { probeDns } from "./dns-probe.ts";
import { probeEgress } from "./egress-probe.ts";
import { HealthCheckManager } from "./health-check-manager.ts";
import type { Probe, ProbeName } from "./health-context.ts";
import { HealthHistoryStore } from "./health-history.ts";
import type { Repair } from "./service-recovery.ts";
import { UptimeRecorder } from "./uptime.ts";

export interface JoinHealthOptions {
  clock: Clock;
  random: () => number;
  logger: Logger;
  db: DatabaseSync;
  dataDir: string;
  node: Pick<NodeService, "state" | "plan" | "look" | "recovery" | "settle" | "onChange" | "onLook">;
  helper: { readonly connected: object | undefined };
  settings: () => Settings;
  portMapping: () => PortMappingState;
  reachability: () => Reachability;
  relay: () => RelayLinkState;
  repairs: {
    /** Asks the router again. */
    remap: () => Promise<unknown>;
    /** Gives up the wait before the next attempt at the relay. */
    reconnect: () => void;
    /** Opens the name service anew. */
    rebind: () => Promise<unknown>;
  };
  uptimeMs: () => number;
  /** In place of what is tried on this machine and beyond. */
  probes?: Readonly<Record<ProbeName, Probe>> | undefined;
  onChange: (health: Health) => void;
  onRecorded: (event: HealthEvent) => void;
}

export interface JoinedHealth {
  readonly manager: HealthCheckManager;
  /** Takes the lines of the exit's own recovery. */
  noteRecovery: (line: RecoveryLine) => void;
  readonly history: Pick<HealthHistoryStore, "read">;
  readonly handlers: Pick<CallHandlers<CallContext>, "health.check" | "health.history" | "health.uptime">;
  /** Saves what is not saved yet. Idempotent. */
  close(): void;
}

export function joinHealth(options: JoinHealthOptions): JoinedHealth {
  const { clock, db, node, settings, logger } = options;
  const history = new HealthHistoryStore(db);
  const uptime = new UptimeRecorder({ db, clock });
  const conflict = rememberedConflict(node);
  const manager = new HealthCheckManager({
    clock,
    random: options.random,
    logger,
    context: () => ({
      phase: node.state,
      look: node.look,
      helperConnected: options.helper.connected !== undefined,
      addressConflict: conflict(),
      portMapping: options.portMapping(),
      reachability: options.reachability(),
      relay: options.relay(),
    }),
    probes: options.probes ?? systemProbes(options),
    subject: () => {
      const { state, plan } = node;
      const stands = state.phase === "running" || state.phase === "degraded";
      return {
        stands,
        concerns: concernsOf(state),
        uplink: plan?.uplink,
        route: plan?.route,
        at: plan?.tunnelAddresses,
      };
    },
    settle: () => node.settle(),
    exitRecovery: () => node.recovery,
    repairOf: (fact) => repairOf(fact, { ...options.repairs, replan: () => node.settle() }),
    keepAwake: () => settings().keepAwake && (exitOf(node.state)?.clients.connected ?? 0) > 0,
    uptimeMs: options.uptimeMs,
    record: (event) => options.onRecorded(history.add(event, clock.nowMs())),
    noteUptime: (doing) => uptime.note(doing),
  });
  // So that nobody is told of a state before there was one.
  manager.update();
  manager.on("changed", options.onChange);
  const unfollow = [node.onChange(() => manager.update()), node.onLook(() => manager.update())];
  let isClosed = false;
  return {
    manager,
    noteRecovery: (line) => manager.noteRecovery(line),
    history,
    handlers: {
      "health.check": () => manager.check(),
      "health.history": async (query) => history.read(query),
      "health.uptime": async ({ days }) => uptime.read(days),
    },
    close: () => {
      if (isClosed) return;
      isClosed = true;
      for (const stop of unfollow) stop();
      manager.dispose();
      try {
        uptime.save();
      } catch (thrown) {
        logger.warn("uptime could not be saved", { error: thrown });
      }
    },
  };
}

type Repairs = JoinHealthOptions["repairs"] & { replan: () => Promise<unknown> };

function repairOf({ code, error }: HealthFact, repairs: Repairs): Repair | undefined {
  // Another way out may be there by now of which no event told.
  if (code === "egressIpv4") return { step: "replan", act: repairs.replan };
  if (code === "portMapping") return { step: "remap", act: repairs.remap };
  if (code === "relay") return { step: "reconnect", act: repairs.reconnect };
  // Resolvers that do not answer are not mended by opening our own sockets anew.
  if (code === "dns" && error?.code === "dns-silent") return { step: "rebind", act: repairs.rebind };
  return undefined;
}

function concernsOf(state: PhaseState): string[] {
  return state.phase === "degraded" ? state.problems.map(({ code }) => code) : [];
}

/** Compared once per look at the machine, not with each of the many changes between two. */
function rememberedConflict(node: JoinHealthOptions["node"]): () => string | undefined {
  let seen: NetworkObservation | null = null;
  let found: string | undefined;
  return () => {
    const observation = node.look?.observation ?? null;
    if (observation === seen) return found;
    seen = observation;
    const { plan } = node;
    found = observation === null || plan === undefined ? undefined : addressConflict(plan.spec, observation);
    return found;
  };
}

function systemProbes({ clock, dataDir, node, settings }: JoinHealthOptions): Readonly<Record<ProbeName, Probe>> {
  const egress = async (family: 4 | 6) => {
    const { plan, state } = node;
    const exit = exitOf(state);
    const from = plan?.tunnelAddresses.find((text) => parseAddress(text)?.family === family);
    const hasWayOut = family === 4 ? plan?.uplink.ipv4 : exit?.ipv6.state === "on" ? plan?.uplink.ipv6 : null;
    if (exit === undefined) return { state: "unknown" } as const;
    if (from === undefined || !hasWayOut) return { state: "off" } as const;
    return probeEgress({ family, from, targets: settings().egressTargets, clock });
  };
  return {
    dns: async () => {
      const { plan, state } = node;
      const [address] = plan?.tunnelAddresses ?? [];
      if (exitOf(state) === undefined || plan === undefined || address === undefined) return { state: "unknown" };
      return plan.spec.dns === null ? { state: "off" } : probeDns({ address, port: plan.spec.dns.port, clock });
    },
    egressIpv4: () => egress(4),
    egressIpv6: () => egress(6),
    disk: () => probeDisk(dataDir),
  };
}
