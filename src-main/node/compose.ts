/** The composition root: the only place where the node's parts are made and joined. */
import { randomBytes } from "node:crypto";
import { type Clock, systemClock } from "../../src-shared/clock.ts";
import type { EventName } from "../../src-shared/ipc/contract.ts";
import type { NetworkObservation } from "../../src-shared/network-observation.ts";
import { fail, type HiggsError, ok, type Result, unwrap } from "../../src-shared/result.ts";
import type { GuestPrefixes } from "../clients/address-allocator.ts";
import { toClient } from "../clients/client-record.ts";
import { ClientRegistry } from "../clients/client-registry.ts";
import { readMachineFacts } from "../diagnostics/machine-facts.ts";
import { DnsAnswerer } from "../dns/dns-answerer.ts";
import { HostResolvers } from "../dns/resolvers.ts";
import { openHelper } from "../helper/open-helper.ts";
import type { NodeApi, NodeEvent } from "../ipc/node-api.ts";
import type { Logger } from "../logs/logger.ts";
import { chooseGuestPrefixes } from "../routing/guest-prefix.ts";
import { openDatabase } from "../storage/database.ts";
import { KvStore } from "../storage/kv-store.ts";
import { SettingsStore } from "../storage/settings-store.ts";
import { VERSION } from "../version.ts";
import { WireGuardManager } from "../wireguard/wireguard-manager.ts";
import { planExit } from "./exit-planner.ts";
import { NodeFacts } from "./node-facts.ts";
import { nodeHandlers } from "./node-handlers.ts";
import { NodeService } from "./node-service.ts";
import { Published } from "./published.ts";

export interface ComposeOptions {
  dataDir: string;
  helperPath: string;
  logger: Logger;
  clock?: Clock;
  /** Told to the person who started the node, such as a database that was set aside. */
  onNotice?: (notice: HiggsError) => void;
}

/** Builds a node over a data directory. It shares at once if it shared when it last ran. */
export async function composeNode(options: ComposeOptions): Promise<Result<NodeApi>> {
  const { dataDir, helperPath, logger, clock = systemClock } = options;
  const settings = SettingsStore.open(dataDir);
  if (!settings.ok) return settings;
  const database = openDatabase(dataDir, { clock });
  if (!database.ok) return database;
  const { db, notices } = database.value;
  for (const notice of notices) {
    logger.warn(notice.message, { code: notice.code });
    options.onNotice?.(notice);
  }

  const facts = new NodeFacts(new KvStore(db));
  const registry = new ClientRegistry({ db, clock, settings: () => settings.value.get() });
  const wireguard = new WireGuardManager({ registry });
  const dns = new DnsAnswerer({ clock, resolvers: new HostResolvers({ clock }) });
  const helper = openHelper({ clock, helperPath, mayPrompt: true });
  const prefixes = guestPrefixes({ settings: settings.value, facts, ownInterface: wireguard.interfaceName, logger });

  const node = new NodeService({
    helper,
    clock,
    logger,
    dns,
    memory: facts,
    plan: (observation, dnsPort) => {
      const chosen = prefixes.choose(observation);
      if (!chosen.ok) return chosen;
      return planExit(observation, {
        settings: settings.value.get(),
        prefixes: chosen.value,
        clientCount: registry.list().length,
        wireguard,
        dnsPort,
      });
    },
    onApplied: ({ publicKey }) => {
      facts.publicKey = publicKey;
    },
    onPeers: (seen) => wireguard.recordUsage(seen),
  });

  const listClients = () => {
    const present = prefixes.current();
    return registry.list().map((record) => toClient(record, present, clock.nowMs()));
  };
  const published = {
    state: new Published({ version: VERSION, node: node.state }),
    clients: new Published(listClients()),
    settings: new Published(settings.value.get()),
  };
  const listeners = new Set<(name: EventName, payload: unknown) => void>();
  const emit = (name: EventName, payload: unknown) => {
    for (const listener of listeners) listener(name, payload);
  };
  published.state.follow((revised) => emit("node.stateChanged", revised));
  published.clients.follow((revised) => emit("clients.changed", revised));
  published.settings.follow((revised) => emit("settings.changed", revised));

  node.onChange((state) => {
    published.state.set({ version: VERSION, node: state });
    published.clients.set(listClients());
  });
  registry.onChange((change) => {
    published.clients.set(listClients());
    if (change === "clients") node.refresh();
  });
  settings.value.onChange((changed) => {
    if (!changed.keepClientKeys) registry.forgetKeptKeys();
    published.settings.set(changed);
    published.clients.set(listClients());
    node.refresh();
  });

  let closing: Promise<void> | undefined;
  const close = async () => {
    await node.dispose();
    await dns.dispose();
    helper.dispose();
    registry.close();
    db.close();
    listeners.clear();
  };
  const api: NodeApi = {
    handlers: nodeHandlers({
      clock,
      version: VERSION,
      dataDir,
      node,
      registry,
      settings: settings.value,
      facts,
      prefixes: prefixes.current,
      published,
      emit,
      machineFacts: async () => {
        const running = await helper.findRunning();
        const mayStart = process.getuid?.() === 0;
        if (!running.ok && !mayStart) {
          return fail("not-permitted", "What only root can see was not looked at.", "Turn sharing on first.");
        }
        return readMachineFacts(helper);
      },
    }),
    onEvent: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    current: (): NodeEvent[] => [
      { name: "node.stateChanged", payload: published.state.current },
      { name: "clients.changed", payload: published.clients.current },
      { name: "settings.changed", payload: published.settings.current },
    ],
    close: () => {
      closing ??= close();
      return closing;
    },
  };
  void node.resume();
  return ok(api);
}

/** The prefixes guests live in: chosen against the machine's routes, remembered, and the same for all who ask. */
function guestPrefixes({ settings, facts, ownInterface, logger }: PrefixOptions) {
  function choose(observation: NetworkObservation | null): Result<GuestPrefixes> {
    const chosen = chooseGuestPrefixes({
      settings: settings.get(),
      observation: observation ?? { links: [], routes: [] },
      ownInterface,
      stored: facts.prefixes,
      random: (count) => randomBytes(count),
    });
    if (!chosen.ok) return chosen;
    facts.prefixes = chosen.value.remember;
    for (const note of chosen.value.notes) logger.warn(note.message, { code: note.code });
    return ok({ ipv4: chosen.value.ipv4, ipv6: chosen.value.ipv6 });
  }
  return {
    choose,
    /** Before the machine was looked at: what was chosen last, or would be on a machine without other networks. */
    current: (): GuestPrefixes => unwrap(choose(null)),
  };
}

interface PrefixOptions {
  settings: SettingsStore;
  facts: NodeFacts;
  ownInterface: string;
  logger: Logger;
}
