/** What the node has told, and the only code that writes it: from events, and from the answers to calls. */
import type { CallName, EventName, EventPayload } from "../../src-shared/ipc/contract.ts";
import type { Client } from "../../src-shared/model/client.ts";
import type { CheckResult, SelfTestStep } from "../../src-shared/model/diagnosis.ts";
import type { HealthEvent } from "../../src-shared/model/health.ts";
import type { NodeState } from "../../src-shared/model/node-state.ts";
import type { PrivacyState } from "../../src-shared/model/privacy.ts";
import type { Settings } from "../../src-shared/model/settings.ts";
import type { TrafficPoint } from "../../src-shared/model/traffic.ts";
import { newer, type Revised } from "./revised.ts";

export interface ServerState {
  readonly node: Revised<NodeState> | undefined;
  readonly clients: Revised<readonly Client[]> | undefined;
  readonly settings: Revised<Settings> | undefined;
  readonly privacy: Revised<PrivacyState> | undefined;
  /** Lines of the health history that came in since the page was opened, newest first. */
  readonly healthEvents: readonly HealthEvent[];
  /** Points of the last five minutes that came in since the page was opened, oldest first. */
  readonly traffic: readonly TrafficPoint[];
  /** The diagnosis under way, or the last one, as far as it has come. */
  readonly diagnosis:
    | {
        readonly done: number;
        readonly total: number;
        readonly checks: readonly CheckResult[];
        /** The owner has asked to end it: what there is then is not everything. */
        readonly cancelled: boolean;
      }
    | undefined;
  readonly selfTest: readonly SelfTestStep[];
}

export const NOTHING_KNOWN: ServerState = {
  node: undefined,
  clients: undefined,
  settings: undefined,
  privacy: undefined,
  healthEvents: [],
  traffic: [],
  diagnosis: undefined,
  selfTest: [],
};

/** More than anybody scrolls through before asking for the history itself. */
const MAX_HEALTH_EVENTS = 200;

/** Five minutes at one point every two seconds. */
export const MAX_TRAFFIC_POINTS = 150;

/** The list a receiver holds is not the one a delta builds on: it has to be asked for. */
export const CLIENTS_STALE = Symbol("clients stale");

type Change = Partial<ServerState> | typeof CLIENTS_STALE;

/** What an event changes. Payloads were parsed by the contract where they came in. */
export function afterEvent(held: ServerState, name: EventName, payload: unknown): Change {
  switch (name) {
    case "node.stateChanged":
      return { node: newer(held.node, payload as EventPayload<"node.stateChanged">) };
    case "clients.changed":
      return { clients: newer(held.clients, payload as EventPayload<"clients.changed">) };
    case "clients.delta":
      return afterDelta(held.clients, payload as EventPayload<"clients.delta">);
    case "settings.changed":
      return { settings: newer(held.settings, payload as EventPayload<"settings.changed">) };
    case "privacy.changed":
      return { privacy: newer(held.privacy, payload as EventPayload<"privacy.changed">) };
    case "health.recorded":
      return { healthEvents: withEvent(held.healthEvents, payload as HealthEvent) };
    case "traffic.point":
      return { traffic: withPoint(held.traffic, payload as TrafficPoint) };
    case "diagnose.progress": {
      const { done, total, check } = payload as EventPayload<"diagnose.progress">;
      const before = (held.diagnosis?.checks ?? []).filter(({ id }) => id !== check.id);
      return { diagnosis: { done, total, checks: [...before, check], cancelled: held.diagnosis?.cancelled === true } };
    }
    case "diagnose.selfTestProgress": {
      const step = payload as SelfTestStep;
      return { selfTest: [...held.selfTest.filter(({ stage }) => stage !== step.stage), step] };
    }
  }
}

/** What beginning a call changes: progress of an earlier run is none of this one. */
export function beforeCall(held: ServerState, name: CallName): Partial<ServerState> {
  switch (name) {
    case "diagnose.run":
      return { diagnosis: { done: 0, total: 0, checks: [], cancelled: false } };
    case "diagnose.cancel":
      return held.diagnosis === undefined ? {} : { diagnosis: { ...held.diagnosis, cancelled: true } };
    case "diagnose.selfTest":
      return { selfTest: [] };
    default:
      return {};
  }
}

/** What the answer to a call changes. */
export function afterAnswer(held: ServerState, name: CallName, output: unknown): Partial<ServerState> {
  switch (name) {
    case "node.state":
    case "node.on":
    case "node.off":
    case "ports.refresh":
      return { node: newer(held.node, output as Revised<NodeState>) };
    case "clients.list":
      return { clients: newer(held.clients, output as Revised<Client[]>) };
    case "settings.get":
    case "settings.set":
      return { settings: newer(held.settings, output as Revised<Settings>) };
    case "privacy.get":
    case "privacy.set": {
      // The answer carries no revision: it is as new as what is held, and the next event replaces it.
      const { run, revision } = held.privacy ?? { run: "", revision: 0 };
      return { privacy: { run, revision, value: output as PrivacyState } };
    }
    default:
      return {};
  }
}

function afterDelta(held: ServerState["clients"], delta: EventPayload<"clients.delta">): Change {
  if (held === undefined || held.run !== delta.run) return CLIENTS_STALE;
  if (delta.revision <= held.revision) return {};
  if (held.revision !== delta.base) return CLIENTS_STALE;
  const changed = new Map(delta.changed.map((client) => [client.id, client]));
  const removed = new Set(delta.removed);
  const value: Client[] = [];
  for (const client of held.value) {
    if (removed.has(client.id)) continue;
    value.push(changed.get(client.id) ?? client);
    changed.delete(client.id);
  }
  return { clients: { run: delta.run, revision: delta.revision, value: [...value, ...changed.values()] } };
}

function withEvent(held: readonly HealthEvent[], event: HealthEvent): readonly HealthEvent[] {
  if (held.some(({ id }) => id === event.id)) return held;
  return [event, ...held].slice(0, MAX_HEALTH_EVENTS);
}

function withPoint(held: readonly TrafficPoint[], point: TrafficPoint): readonly TrafficPoint[] {
  const last = held.at(-1);
  if (last !== undefined && Date.parse(point.at) <= Date.parse(last.at)) return held;
  return [...held, point].slice(-MAX_TRAFFIC_POINTS);
}
