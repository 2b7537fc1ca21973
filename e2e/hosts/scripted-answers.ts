/** What a node that is well answers to each call of the contract, from the world that a test has set up. */
import { type Client, clientNameKey } from "../../src-shared/model/client.ts";
import { settingsSchema } from "../../src-shared/model/settings.ts";
import { HiggsFailure } from "../../src-shared/result.ts";
import { aClient, CONFIGURATION } from "./scripted-clients.ts";
import type { ScriptedHandlers, ScriptedNode } from "./scripted-node.ts";
import {
  CHECKS,
  DELETION,
  HISTORY,
  LOG,
  NOTHING_STORED,
  REPORT,
  SELF_TEST,
  STORED,
  TRACE,
  trafficHistory,
  UPTIME,
} from "./scripted-records.ts";
import { STOPPED, sharing } from "./scripted-states.ts";

export function scriptedAnswers(node: ScriptedNode): ScriptedHandlers {
  const { world } = node;
  let isPurged = false;

  function find(name: string): Client {
    const key = clientNameKey(name);
    const client = world.clients.find((one) => one.id === name || clientNameKey(one.name) === key);
    if (client !== undefined) return client;
    throw new HiggsFailure({ code: "client-unknown", message: `There is no client ${name}.` });
  }

  function change(name: string, changes: Partial<Client>): Client {
    const changed = { ...find(name), ...changes };
    node.changeClients([changed]);
    return changed;
  }

  return {
    "node.state": async () => node.revised(world.node),
    "node.on": async () => {
      node.setNode(sharing());
      return node.revised(world.node);
    },
    "node.off": async () => {
      node.setNode(STOPPED);
      return node.revised(world.node);
    },
    "node.restoreNetwork": async () => {
      node.setNode(STOPPED);
      return { left: [] };
    },
    "clients.list": async () => node.revisedClients(),
    "clients.add": async ({ name }) => {
      if (world.clients.some((client) => clientNameKey(client.name) === clientNameKey(name))) {
        throw new HiggsFailure({ code: "client-exists", message: `There is a client ${name} already.` });
      }
      const client = aClient({ id: `added-${world.clients.length}`, name });
      node.changeClients([client]);
      return client;
    },
    "clients.remove": async ({ name }) => {
      const client = find(name);
      node.changeClients([], [client.id]);
      return client;
    },
    "clients.pause": async ({ name }) => change(name, { paused: true }),
    "clients.resume": async ({ name }) => change(name, { paused: false }),
    "clients.config": async ({ name }) => ({
      client: find(name),
      config: CONFIGURATION,
      shownUntil: new Date(Date.now() + 600_000).toISOString(),
    }),
    "limits.set": async ({ name, changes }) => {
      const { down, up, priority } = changes;
      const limit = {
        ...(typeof down === "string" ? { down } : {}),
        ...(typeof up === "string" ? { up } : {}),
        ...(typeof priority === "number" ? { priority } : {}),
        state: "limited" as const,
      };
      return change(name, { limit });
    },
    "limits.clear": async ({ name }) => {
      const { limit: _, quota: __, ...rest } = find(name);
      node.changeClients([rest]);
      return rest;
    },
    "limits.list": async () => world.clients.map(({ id, name }) => ({ id, name })),
    "limits.test": async ({ name, seconds }) => {
      const limit = "10mbit";
      const tested = { limit, measured: "9.8mbit", measuredBitsPerSecond: 9.8e6, verdict: "holds" as const };
      return { name: find(name).name, seconds, down: tested, up: null };
    },
    "settings.get": async () => node.revised(world.settings),
    "settings.set": async ({ changes }) => {
      node.setSettings(settingsSchema.parse({ ...world.settings, ...changes }));
      return node.revised(world.settings);
    },
    "ports.refresh": async () => node.revised(world.node),
    "privacy.get": async () => world.privacy,
    "privacy.set": async ({ changes }) => {
      node.setPrivacy({ ...world.privacy, settings: { ...world.privacy.settings, ...changes } });
      return world.privacy;
    },
    "privacy.stored": async () => (isPurged ? NOTHING_STORED : STORED),
    "privacy.log": async ({ kind, search = "", client }) => {
      const entries = LOG.filter((entry) => entry.kind === kind)
        .filter((entry) => client === undefined || entry.clientId === client)
        .filter((entry) => JSON.stringify(entry).toLowerCase().includes(search.toLowerCase()));
      return { entries: isPurged ? [] : entries, next: null };
    },
    "privacy.purge": async () => {
      isPurged = true;
      return DELETION;
    },
    "privacy.export": async ({ kind }) => {
      const lines = LOG.filter((entry) => entry.kind === kind).map((entry) => `${JSON.stringify(entry)}\n`);
      return { text: lines.join(""), next: null };
    },
    "health.check": async () => world.node.health,
    "health.history": async ({ limit, before }) => {
      const rest = HISTORY.filter(({ id }) => before === undefined || id < before);
      return { events: rest.slice(0, limit), more: rest.length > limit };
    },
    "health.uptime": async ({ days }) => UPTIME.slice(0, days),
    "traffic.history": async ({ range }) => trafficHistory(range),
    "traffic.totals": async () => ({
      today: { rxBytes: 412_000_000, txBytes: 5_100_000_000 },
      month: { rxBytes: 9_800_000_000, txBytes: 121_000_000_000 },
    }),
    "host.facts": async () => ({ kind: "headless", canStartAtLogin: false, canKeepAwake: false }),
    "diagnose.run": async () => {
      for (const [at, check] of CHECKS.entries()) {
        node.emit("diagnose.progress", { done: at + 1, total: CHECKS.length, check });
      }
      return {
        version: world.node.version,
        finishedAt: new Date().toISOString(),
        nodePhase: world.node.node.phase,
        outcome: "fail",
        checks: [...CHECKS],
      };
    },
    "diagnose.cancel": async () => ({}),
    "diagnose.trace": async () => TRACE,
    "diagnose.selfTest": async () => {
      for (const step of SELF_TEST) node.emit("diagnose.selfTestProgress", step);
      return { outcome: "pass", finishedAt: new Date().toISOString(), steps: [...SELF_TEST] };
    },
    "diagnose.report": async () => REPORT,
  };
}
