/** The composition root: the only place where the node's parts are made and joined. */
import { uptime } from "node:os";
import { type Clock, systemClock } from "../../src-shared/clock.ts";
import { exitOf, type NodeState } from "../../src-shared/model/node-state.ts";
import { mappedEndpoint } from "../../src-shared/model/port-mapping.ts";
import { fail, type HiggsError, ok, type Result } from "../../src-shared/result.ts";
import { ClientList } from "../clients/client-list.ts";
import { ClientRegistry } from "../clients/client-registry.ts";
import { diagnosisHandlers } from "../diagnostics/diagnosis-handlers.ts";
import { readMachineFactsUnasked } from "../diagnostics/machine-facts.ts";
import { TestPeer } from "../diagnostics/test-peer.ts";
import { DnsAnswerer } from "../dns/dns-answerer.ts";
import { HostResolvers } from "../dns/resolvers.ts";
import { type JoinHealthOptions, joinHealth } from "../health/join-health.ts";
import type { HelperLink } from "../helper/helper-link.ts";
import { openHelper } from "../helper/open-helper.ts";
import type { NodeApi } from "../ipc/node-api.ts";
import { Ipv6Checker } from "../ipv6/ipv6-checker.ts";
import { Ipv6Pinhole } from "../ipv6/ipv6-pinhole.ts";
import { ClientRateLimiter } from "../limits/client-rate-limiter.ts";
import type { Logger } from "../logs/logger.ts";
import { type MappingIo, systemIo } from "../port-forwarding/mapping-io.ts";
import { MappingJournal } from "../port-forwarding/mapping-journal.ts";
import { PortForwardingService } from "../port-forwarding/port-forwarding-service.ts";
import { joinPrivacy } from "../privacy/join-privacy.ts";
import { PrivacyManager } from "../privacy/privacy-manager.ts";
import { joinReachability } from "../reachability/join-reachability.ts";
import { RelayMemory } from "../relay/relay-memory.ts";
import { RelayService } from "../relay/relay-service.ts";
import { egressTargetsOf } from "../routing/egress-targets.ts";
import { rememberPrefixes } from "../routing/remembered-prefixes.ts";
import { openDatabase } from "../storage/database.ts";
import { KvStore } from "../storage/kv-store.ts";
import { SettingsStore } from "../storage/settings-store.ts";
import { TrafficMonitor } from "../traffic/traffic-monitor.ts";
import { VERSION } from "../version.ts";
import { WireGuardManager } from "../wireguard/wireguard-manager.ts";
import { planExit } from "./exit-planner.ts";
import { followChanges } from "./follow-changes.ts";
import { HEADLESS, type HostFacts } from "./host-facts.ts";
import { NodeEvents } from "./node-events.ts";
import { NodeFacts } from "./node-facts.ts";
import { nodeHandlers } from "./node-handlers.ts";
import { NodeService } from "./node-service.ts";
import { ownSources } from "./own-sources.ts";
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
  const testPeer = new TestPeer();
  const isOwn = ownSources(
    () => node.plan?.tunnelAddresses ?? [],
    (address) => testPeer.has(address),
  );
  const dns =
    options.dns ??
    new DnsAnswerer({
      clock,
      resolvers: new HostResolvers({ clock }),
      onQuestion: (question) => {
        if (!isOwn(question.source)) privacy.logDnsQuestion(question);
      },
      onUnexpected: (thrown) => logger.error("a question to the name service failed", { error: thrown }),
    });
  const helper = options.helper ?? openHelper({ clock, helperPath, mayPrompt: true });
  const prefixes = rememberPrefixes({
    settings: () => settings.value.get(),
    memory: facts,
    ownInterface: wireguard.interfaceName,
    logger,
  });

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
        testPeer: testPeer.peer,
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
      events.publishClients();
    },
  });

  const relay = new RelayService({
    clock,
    random: Math.random,
    env: process.env,
    dataDir,
    memory: new RelayMemory(kv, logger.child({ area: "relay" })),
    logger,
    version: VERSION,
    servers: options.relayServers,
  });
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
    onPoint: (point) => events.emit("traffic.point", point),
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
    onChange: () => events.publishState(),
  });
  const pinhole = new Ipv6Pinhole({
    io,
    journal,
    logger: logger.child({ area: "ipv6" }),
    firstHop: async () => {
      const [target] = egressTargetsOf(settings.value.get().egressTargets, 6);
      const traced = target && (await helper.call("trace", { to: target.host, maxHops: 1 }));
      return traced?.ok ? (traced.value[0]?.address ?? null) : null;
    },
    onChange: () => {
      reachability.update();
      events.publishState();
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
    onChange: () => events.publishState(),
    onRecorded: (event) => events.emit("health.recorded", event),
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
  const events = new NodeEvents({
    state: nodeState,
    clients: () => clientList.current(),
    settings: () => settings.value.get(),
    privacy: () => privacy.state(),
    logger,
  });
  followChanges({
    helper,
    node,
    relay,
    ports,
    reachability,
    ipv6,
    pinhole,
    health,
    registry,
    limiter,
    settings: settings.value,
    privacy,
    events,
    logger,
  });

  const joinedPrivacy = joinPrivacy({
    manager: privacy,
    logger,
    isOwn,
    settings: settings.value,
    registry,
    node,
    helper,
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
    events.close();
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
      published: events.published,
      emit: (name, payload) => events.emit(name, payload),
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
        machineFacts: () => readMachineFactsUnasked(helper),
        setTestPeer: (peer) => {
          testPeer.set(peer);
          return node.settle();
        },
        healthHistory: (limit) => health.history.read({ limit }),
        emit: (name, payload) => events.emit(name, payload),
      }),
    }),
    onEvent: (listener) => events.onEvent(listener),
    current: () => events.current(),
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
