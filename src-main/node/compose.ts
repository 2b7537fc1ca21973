/** The composition root: the only place where the node's parts are made and joined. */
import { randomBytes } from "node:crypto";
import { uptime } from "node:os";
import { isDeepStrictEqual } from "node:util";
import { type Clock, systemClock } from "../../src-shared/clock.ts";
import type { EventName } from "../../src-shared/ipc/contract.ts";
import { exitOf, type NodeState } from "../../src-shared/model/node-state.ts";
import { mappedEndpoint } from "../../src-shared/model/port-mapping.ts";
import { parseAddress } from "../../src-shared/net/address.ts";
import { parseEndpoint } from "../../src-shared/net/endpoint.ts";
import type { NetworkObservation } from "../../src-shared/network-observation.ts";
import type { PeerSpec } from "../../src-shared/network-spec.ts";
import { fail, type HiggsError, ok, type Result, unwrap } from "../../src-shared/result.ts";
import type { GuestPrefixes } from "../clients/address-allocator.ts";
import { ClientList } from "../clients/client-list.ts";
import { ClientRegistry } from "../clients/client-registry.ts";
import { diagnosisHandlers } from "../diagnostics/diagnosis-handlers.ts";
import { readMachineFacts } from "../diagnostics/machine-facts.ts";
import { DnsAnswerer } from "../dns/dns-answerer.ts";
import { HostResolvers } from "../dns/resolvers.ts";
import { type JoinHealthOptions, joinHealth } from "../health/join-health.ts";
import type { HelperLink } from "../helper/helper-link.ts";
import { openHelper } from "../helper/open-helper.ts";
import type { NodeApi, NodeEvent } from "../ipc/node-api.ts";
import { Ipv6Checker } from "../ipv6/ipv6-checker.ts";
import { Ipv6Pinhole } from "../ipv6/ipv6-pinhole.ts";
import { ClientRateLimiter } from "../limits/client-rate-limiter.ts";
import type { Logger } from "../logs/logger.ts";
import { followNode } from "../port-forwarding/follow-node.ts";
import { type MappingIo, systemIo } from "../port-forwarding/mapping-io.ts";
import { MappingJournal } from "../port-forwarding/mapping-journal.ts";
import { PortForwardingService } from "../port-forwarding/port-forwarding-service.ts";
import { joinPrivacy } from "../privacy/join-privacy.ts";
import { PrivacyManager } from "../privacy/privacy-manager.ts";
import { joinReachability } from "../reachability/join-reachability.ts";
import { RelayMemory } from "../relay/relay-memory.ts";
import { RelayService } from "../relay/relay-service.ts";
import { chooseGuestPrefixes } from "../routing/guest-prefix.ts";
import { openDatabase } from "../storage/database.ts";
import { KvStore } from "../storage/kv-store.ts";
import { SettingsStore } from "../storage/settings-store.ts";
import { TrafficMonitor } from "../traffic/traffic-monitor.ts";
import { VERSION } from "../version.ts";
import { WireGuardManager } from "../wireguard/wireguard-manager.ts";
import { planExit } from "./exit-planner.ts";
import { greetGuests } from "./greet-guests.ts";
import { HEADLESS, type HostFacts } from "./host-facts.ts";
import { NodeFacts } from "./node-facts.ts";
import { nodeHandlers } from "./node-handlers.ts";
import { NodeService } from "./node-service.ts";
import { withoutOwnConnections } from "./own-connections.ts";
import { Published } from "./published.ts";
import { restoreEverything } from "./restore-everything.ts";
import { interfacesUp, uplinkConcerns } from "./uplink-concerns.ts";

export interface ComposeOptions {
  dataDir: string;
  helperPath: string;
  logger: Logger;
  clock?: Clock;
  /** In place of the helper at `helperPath`; disposed of with the node. */
  helper?: HelperLink;
  /** In place of the answerer on the tunnel addresses; disposed of with the node. */
  dns?: Pick<DnsAnswerer, "start" | "stop" | "dispose"> & Partial<Pick<DnsAnswerer, "rebind">>;
  /** Relays for this run, in place of those in the settings. */
  relayServers?: readonly string[] | undefined;
  /** The program around the node; a headless one where none is named. */
  host?: HostFacts;
  /** In place of the machine's own network, through which routers are asked to forward ports. */
  mappingIo?: MappingIo;
  /** In place of what health tries on this machine and beyond. */
  healthProbes?: JoinHealthOptions["probes"];
  /** In place of the machine's list of interfaces that are up. */
  interfacesUp?: () => ReadonlySet<string>;
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

  const kv = new KvStore(db);
  const facts = new NodeFacts(kv, logger.child({ area: "node" }));
  const registry = new ClientRegistry({ db, clock, settings: () => settings.value.get() });
  const limiter = new ClientRateLimiter({
    db,
    clock,
    registry,
    settings: () => settings.value.get(),
    lookAtPeers: () => node.lookAtPeers(),
  });
  const wireguard = new WireGuardManager({ registry });
  /** Those of self-tests, of which connection tracking tells minutes after they have ended. */
  const testAddresses = new Set<string>();
  const isTest = (source: string) => testAddresses.has(source);
  const dns =
    options.dns ??
    new DnsAnswerer({
      clock,
      resolvers: new HostResolvers({ clock }),
      // The node's own questions, by which it tries whether this works, are nobody's.
      onQuestion: (question) => {
        const isOwn = node.plan?.tunnelAddresses.includes(question.source) ?? false;
        if (!isOwn && !isTest(question.source)) privacy.logDnsQuestion(question);
      },
    });
  const helper = options.helper ?? openHelper({ clock, helperPath, mayPrompt: true });
  const prefixes = guestPrefixes({ settings: settings.value, facts, ownInterface: wireguard.interfaceName, logger });

  const privacy = new PrivacyManager({
    db,
    clock,
    logger,
    settings: settings.value,
    clients: () => registry.list(),
    prefixes: prefixes.current,
  });
  const io = options.mappingIo ?? systemIo(clock);
  const journal = new MappingJournal({ kv, clock, logger });
  const ports = new PortForwardingService({ io, journal, logger });
  const listInterfacesUp = options.interfacesUp ?? interfacesUp;
  let testPeer: PeerSpec | undefined;
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
        mapped: mappedEndpoint(ports.state),
        proven: reachability.service.proven,
        probePeer: reachability.service.peer,
        testPeer,
        limits: { ...limiter.contribute(chosen.value), refusal: limiter.refusal },
      });
    },
    topics: () => (privacy.canLogMetadata() ? ["network-change", "connections"] : ["network-change"]),
    onApplied: ({ publicKey, limits }) => {
      facts.publicKey = publicKey;
      // What the machine refuses to limit is a problem of the next plan.
      if (limiter.noteApplied(limits)) node.refresh();
    },
    concerns: (plan) => uplinkConcerns(plan, listInterfacesUp()),
    interfacesUp: listInterfacesUp,
    onRecovery: (line) => health.noteRecovery(line),
    onPeers: (seen) => {
      traffic.record(seen);
      wireguard.recordUsage(seen);
      published.clients.set(clientList.current());
    },
  });

  const relay = new RelayService({
    clock,
    random: Math.random,
    env: process.env,
    dataDir,
    memory: new RelayMemory(kv),
    logger,
    version: VERSION,
    servers: options.relayServers,
  });
  helper.onNetworkChange(({ kinds }) => {
    if (kinds.some((kind) => kind === "link" || kind === "address" || kind === "route")) relay.networkChanged();
  });
  const updateRelay = () => relay.update(settings.value.get(), exitOf(node.state)?.listenPort);

  const follow = followNode(ports);
  const updatePorts = () => {
    const exit = exitOf(node.state);
    const shared = exit && node.plan && { listenPort: exit.listenPort, surroundings: node.plan.surroundings };
    follow(settings.value.get(), shared);
  };

  const reachability = joinReachability({
    clock,
    logger,
    io,
    journal,
    relay,
    ports,
    pinhole: () => pinhole.state.state,
    settings: () => settings.value.get(),
    node,
    trace: async (to, maxHops) => {
      const traced = await helper.call("trace", { to, maxHops });
      return traced.ok ? traced.value.map(({ address }) => address) : [];
    },
  });

  const traffic = new TrafficMonitor({
    clock,
    totals: () => privacy.totals(),
    onPoint: (point) => emit("traffic.point", point),
  });
  const clientList = new ClientList({
    records: () => registry.list(),
    prefixes: prefixes.current,
    nowMs: () => clock.nowMs(),
    limits: (record) => limiter.describe(record),
    live: (publicKey) => traffic.meter.liveOf(publicKey),
  });
  const ipv6 = new Ipv6Checker({
    clock,
    logger: logger.child({ area: "ipv6" }),
    targets: () => settings.value.get().egressTargets,
    onChange: () => publishState(),
  });
  const pinhole = new Ipv6Pinhole({
    io,
    journal,
    logger: logger.child({ area: "ipv6" }),
    firstHop: async () => {
      const to = settings.value
        .get()
        .egressTargets.flatMap((text) => parseEndpoint(text)?.host ?? [])
        .find((host) => parseAddress(host)?.family === 6);
      const traced = to === undefined ? undefined : await helper.call("trace", { to, maxHops: 1 });
      return traced?.ok ? (traced.value[0]?.address ?? null) : null;
    },
    onChange: () => {
      reachability.update();
      publishState();
    },
  });
  const health = joinHealth({
    clock,
    random: Math.random,
    logger,
    db,
    dataDir,
    node,
    helper,
    settings: () => settings.value.get(),
    portMapping: () => ports.state,
    reachability: () => reachability.service.findings.reachability,
    relay: () => relay.state,
    repairs: {
      remap: () => ports.refresh(),
      reconnect: () => relay.networkChanged(),
      rebind: async () => dns.rebind?.(),
    },
    uptimeMs: () => uptime() * 1_000,
    probes: options.healthProbes,
    onChange: () => publishState(),
    onRecorded: (event) => emit("health.recorded", event),
  });
  const nodeState = (): NodeState => ({
    version: VERSION,
    node: ipv6.complete(node.state),
    relay: relay.state,
    portMapping: ports.state,
    ...reachability.service.findings,
    pinhole: pinhole.state,
    health: health.manager.state,
  });
  const published = {
    state: new Published<NodeState>(nodeState()),
    clients: new Published(clientList.current()),
    settings: new Published(settings.value.get()),
    privacy: new Published(privacy.state()),
  };
  const listeners = new Set<(name: EventName, payload: unknown) => void>();
  const emit = (name: EventName, payload: unknown) => {
    for (const listener of listeners) listener(name, payload);
  };
  published.state.follow((revised) => emit("node.stateChanged", revised));
  published.clients.follow((revised) => emit("clients.changed", revised));
  published.settings.follow((revised) => emit("settings.changed", revised));
  published.privacy.follow((revised) => emit("privacy.changed", revised));
  privacy.onStateChange((state) => published.privacy.set(state));

  const publishState = () => published.state.set(nodeState());
  const greet = greetGuests({ helper, logger: logger.child({ area: "node" }) });
  const greetIfMoved = () => greet(exitOf(node.state) && node.plan?.route, ports.state);
  node.onChange(() => {
    greetIfMoved();
    updateRelay();
    updatePorts();
    reachability.update();
    ipv6.update(node.state, node.plan?.tunnelAddresses ?? []);
    pinhole.update(exitOf(node.state) && node.plan?.pinhole);
    publishState();
    published.clients.set(clientList.current());
  });
  relay.onChange(() => {
    reachability.update();
    health.manager.update();
    publishState();
  });
  let proven = reachability.service.proven;
  reachability.service.onChange(() => {
    health.manager.update();
    publishState();
    if (isDeepStrictEqual(proven, reachability.service.proven)) return;
    proven = reachability.service.proven;
    node.refresh();
  });
  let mapped = mappedEndpoint(ports.state);
  ports.on("changed", (state) => {
    greetIfMoved();
    reachability.update();
    health.manager.update();
    publishState();
    if (isDeepStrictEqual(mapped, mappedEndpoint(state))) return;
    mapped = mappedEndpoint(state);
    node.refresh();
  });
  registry.onChange((change) => {
    // Usage comes from the peers' counters, after which the list is made in any case.
    if (change === "usage") return;
    published.clients.set(clientList.current());
    node.refresh();
  });
  limiter.onChange(() => {
    published.clients.set(clientList.current());
    node.refresh();
  });
  settings.value.onChange((changed) => {
    if (!changed.keepClientKeys) registry.forgetKeptKeys();
    published.settings.set(changed);
    published.clients.set(clientList.current());
    updateRelay();
    updatePorts();
    reachability.update();
    health.manager.update();
    node.refresh();
  });

  const joinedPrivacy = joinPrivacy({
    manager: privacy,
    isTest,
    settings: settings.value,
    registry,
    node,
    helper: {
      get connected() {
        return helper.connected;
      },
      onLost: (listener) => helper.onLost(listener),
      onConnections: (listener) =>
        helper.onConnections((event) => listener(withoutOwnConnections(event, node.plan?.tunnelAddresses ?? []))),
    },
  });

  let closing: Promise<void> | undefined;
  const close = async () => {
    relay.dispose();
    ipv6.dispose();
    const left = Promise.all([reachability.service.dispose(), pinhole.dispose()]);
    await node.dispose();
    health.close();
    await left;
    await ports.cleanup();
    await dns.dispose();
    helper.dispose();
    limiter.cleanup();
    registry.close();
    await joinedPrivacy.close();
    db.close();
    listeners.clear();
  };
  const machineFacts = async () => {
    const running = await helper.findRunning();
    const mayStart = process.getuid?.() === 0;
    if (!running.ok && !mayStart) {
      return fail("not-permitted", "What only root can see was not looked at.", "Turn sharing on first.");
    }
    return readMachineFacts(helper);
  };
  const api: NodeApi = {
    handlers: nodeHandlers({
      privacy: joinedPrivacy.handlers,
      hostFacts: options.host ?? HEADLESS,
      traffic: traffic.handlers,
      health: health.handlers,
      restoreNetwork: () => restoreEverything({ node, helper, ports }),
      clock,
      version: VERSION,
      dataDir,
      node,
      registry,
      limiter,
      observeLimit: async (classId) => {
        if (exitOf(node.state) === undefined) return fail("not-sharing", "Sharing is off.", "Turn it on: higgsnode on");
        return helper.call("observe-limit", { classId });
      },
      settings: settings.value,
      facts,
      relay,
      ports,
      reachability: reachability.service,
      pinhole,
      prefixes: prefixes.current,
      published,
      emit,
      diagnosis: diagnosisHandlers({
        clock,
        version: VERSION,
        dataDir,
        node,
        helper,
        settings: () => settings.value.get(),
        state: nodeState,
        privacy: () => privacy.state(),
        clients: () => clientList.current(),
        records: () => registry.list(),
        findClient: (which) => registry.find(which),
        machineFacts,
        setTestPeer: (peer) => {
          testPeer = peer;
          for (const prefix of peer?.allowedIps ?? []) testAddresses.add(prefix.split("/")[0] ?? prefix);
          return node.settle();
        },
        healthHistory: () =>
          api.handlers["health.history"]({ limit: 50 }, { signal: new AbortController().signal }).catch(() => null),
        emit,
      }),
    }),
    onEvent: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    current: (): NodeEvent[] => [
      { name: "node.stateChanged", payload: published.state.current },
      { name: "clients.changed", payload: published.clients.current },
      { name: "settings.changed", payload: published.settings.current },
      { name: "privacy.changed", payload: published.privacy.current },
    ],
    woke: () => health.manager.woke(),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
  // A run that was to share maps anew, and takes away what was left before it does.
  if (!facts.wanted) void ports.releaseLeftovers();
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
