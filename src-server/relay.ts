/**
 * The relay itself: nodes by id, each with an edge (where its guests come in) and, while it is connected to
 * this instance, a home. Knows no WebSocket: connections hand in links and get sessions.
 */
import { randomInt } from "node:crypto";
import type { CancelTimer, Clock } from "../src-shared/clock.ts";
import type { SealedSession } from "../src-shared/relay/control.ts";
import { fail, ok, type Result } from "../src-shared/result.ts";
import { AddressSealer } from "./address-seal.ts";
import type { Cluster } from "./cluster/cluster.ts";
import type { Config } from "./config.ts";
import type { Counters } from "./counters.ts";
import type { EdgeSession } from "./edge-session.ts";
import type { Log } from "./log.ts";
import { type EdgeHost, NodeEdge, PROOF_NOTED_EVERY_MS } from "./node-edge.ts";
import { type HomeSession, NodeHome, type NodeLink } from "./node-home.ts";
import { SourceLimiter } from "./source-limiter.ts";
import type { Store } from "./store.ts";
import { UdpPort } from "./udp-port.ts";

/** Fine enough for timeouts of 15 s and more. */
const SWEEP_EVERY_MS = 5_000;
/** What a killed server may forget of the proofs it saw. */
const PROOFS_WRITTEN_EVERY_MS = 1_000;
/** REJECT_AFTER_TIME of WireGuard: a session older than this has shaken hands again, and proves itself anew. */
const PROOF_LIFETIME_MS = 180_000;

interface Entry {
  readonly node: string;
  readonly port: number;
  readonly edge: NodeEdge;
  home: NodeHome | undefined;
  cancelGrace: CancelTimer | undefined;
}

export interface Registration {
  readonly port: number;
  readonly resumed: boolean;
  readonly home: NodeHome;
}

export interface RelayOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: Counters;
  readonly store: Store;
  readonly cluster: Cluster;
}

export class Relay {
  #options: RelayOptions;
  #entries = new Map<string, Entry>();
  /** Nodes whose port is being opened: a second request waits for the first. */
  #opening = new Map<string, Promise<Result<Entry>>>();
  #edgeSessions = new Map<number, EdgeSession>();
  #nextEdgeSession = randomInt(2 ** 31);
  #limiter: SourceLimiter;
  #edgeHost: EdgeHost;
  #sealer: AddressSealer;
  #newProofs = new Map<string, Buffer>();
  #cancelSweep: CancelTimer | undefined;
  #cancelProofs: CancelTimer | undefined;
  #disposed = false;

  constructor(options: RelayOptions) {
    this.#options = options;
    const { config, counters, clock, store } = options;
    this.#limiter = new SourceLimiter(config.limits);
    // A seal may be this old already when its session falls silent.
    this.#sealer = new AddressSealer(store.sealKey, config.sessionIdleMs + PROOF_NOTED_EVERY_MS);
    this.#edgeHost = {
      limits: config.limits,
      counters,
      limiter: this.#limiter,
      nowMs: () => clock.monotonicMs(),
      nextSessionId: () => this.#takeEdgeSessionId(),
      onOpened: (session) => this.#edgeSessions.set(session.id, session),
      onClosed: (session, reason) => this.#edgeClosed(session, reason),
      forward: (session, payload) => this.#forward(session, payload),
      wasProven: (node, source) => {
        const hash = store.proofHash(node, source);
        return this.#newProofs.has(hash.toString("hex")) || store.isProven(hash, clock.nowMs());
      },
      noteProof: (session) => {
        const hash = store.proofHash(session.node, session.source);
        this.#newProofs.set(hash.toString("hex"), hash);
        this.#seal(session);
      },
    };
  }

  async start(): Promise<void> {
    const { cluster, log, store } = this.#options;
    await cluster.start({
      onNodeElsewhere: (node, port) => {
        this.#ensureEntry(node, port).then((opened) => {
          if (!opened.ok) log.warn("edge-unusable", { node, code: opened.error.code, message: opened.error.message });
          else if (opened.value.home === undefined) this.#cancelGrace(opened.value);
        }, this.#unexpected);
      },
      onNodeGone: (node) => {
        const entry = this.#entries.get(node);
        if (entry !== undefined && entry.home === undefined) this.#beginGrace(entry);
      },
      onNodeTaken: (node) => {
        // A node has one connection: what looks alive here is what it left without our noticing.
        const entry = this.#entries.get(node);
        if (entry !== undefined) this.#dropHome(entry);
      },
      onDatagramForNode: (node, instance, edgeSession, payload) =>
        this.#fromOtherEdge(node, instance, edgeSession, payload),
      onEdgeSessionClosed: (node, instance, edgeSession) => {
        const home = this.#entries.get(node)?.home;
        const session = home?.sessionOf(`${instance}|${edgeSession}`);
        if (home !== undefined && session !== undefined) home.close(session, "guest-gone");
      },
      onDatagramForGuest: (edgeSession, payload) => {
        const session = this.#edgeSessions.get(edgeSession);
        if (session !== undefined) this.#entries.get(session.node)?.edge.deliver(session, payload);
      },
      onProofs: (hashes) => this.#remember(hashes),
    });
    if (cluster.proofKey !== undefined) store.useProofKey(cluster.proofKey);
    this.#scheduleSweep();
    this.#scheduleProofs();
  }

  /** Nodes with a link, and those whose sessions wait. */
  get nodeCounts(): { connected: number; inGrace: number } {
    let connected = 0;
    let inGrace = 0;
    for (const { home } of this.#entries.values()) {
      if (home?.connected === true) connected++;
      else if (home !== undefined) inGrace++;
    }
    return { connected, inGrace };
  }

  get sessionCount(): number {
    return this.#edgeSessions.size;
  }

  get trackedSources(): number {
    return this.#limiter.tracked;
  }

  /**
   * Takes in an authenticated node. Its sessions are resumed when `resume` names those that wait here;
   * otherwise it begins with none. The link is attached with `attach` once the node has been told.
   */
  async register(node: string, resume: string | undefined): Promise<Result<Registration>> {
    const { cluster, config, counters, clock } = this.#options;
    const port = await cluster.portFor(node);
    if (!port.ok) return port;
    const opened = await this.#ensureEntry(node, port.value);
    if (!opened.ok) return opened;
    if (this.#disposed) return fail("draining", "this server is stopping", "Connect again.");
    const entry = opened.value;
    // The grace time must not end between here and `attach`.
    this.#cancelGrace(entry);
    try {
      await cluster.announce(node, entry.port);
    } catch (error) {
      this.#beginGrace(entry);
      throw error;
    }
    counters.registrations++;
    const resumed = entry.home !== undefined && resume === entry.home.resume;
    if (resumed) counters.resumptions++;
    else if (entry.home !== undefined) this.#dropHome(entry);
    entry.home ??= new NodeHome(config.limits, counters, clock.monotonicMs());
    return ok({ port: entry.port, resumed, home: entry.home });
  }

  /** Instead of `attach`, when the link was lost while the node was being registered. */
  release(node: string, home: NodeHome): void {
    const entry = this.#entries.get(node);
    if (entry?.home === home && !home.connected) this.#beginGrace(entry);
  }

  attach(node: string, home: NodeHome, link: NodeLink): void {
    const entry = this.#entries.get(node);
    if (entry?.home !== home) return;
    this.#cancelGrace(entry);
    home.attach(link);
  }

  /**
   * Opens again what the node had before this server was restarted. Only seals of this server count, and only
   * towards addresses that its store knows as proven; ids for which there is nothing are closed at the node.
   */
  restore(node: string, home: NodeHome, sessions: readonly SealedSession[]): void {
    const entry = this.#entries.get(node);
    if (entry?.home !== home) return;
    let restored = 0;
    for (const { session: id, seal } of sessions) {
      // The node has been told of a new session with this id, which takes the old one's place.
      if (home.has(id)) continue;
      if (this.#restore(entry, home, id, seal)) restored++;
      else home.refuse(id, "not-restored");
    }
    this.#options.log.info("sessions-restored", { node, asked: sessions.length, restored });
  }

  /** The node's link is gone; its sessions wait for `graceMs`. */
  detach(node: string, home: NodeHome, link: NodeLink): void {
    const entry = this.#entries.get(node);
    if (!home.detach(link) || entry?.home !== home || this.#disposed) return;
    this.#beginGrace(entry);
  }

  /** A guest over WebSocket; `target` as in its `connect`. Fails with `unknown-node` or `too-many-sessions`. */
  async openGuest(
    target: { readonly node: string } | { readonly port: number },
    network: string,
    deliver: (payload: Uint8Array) => void,
    onClosed: (reason: string) => void,
  ): Promise<Result<{ session: EdgeSession; edge: NodeEdge }>> {
    const node = "node" in target ? target.node : await this.#options.cluster.nodeAt(target.port);
    const entry = node === undefined ? undefined : this.#entries.get(node);
    if (entry === undefined) {
      return fail("unknown-node", "no such node is connected", "Ask the node's owner whether it is running.");
    }
    const opened = entry.edge.openWebSocket(network, deliver, onClosed);
    return opened.ok ? ok({ session: opened.value, edge: entry.edge }) : opened;
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#cancelSweep?.();
    this.#cancelProofs?.();
    this.#writeProofs();
    const withdrawals: Promise<void>[] = [];
    for (const entry of [...this.#entries.values()]) {
      if (entry.home !== undefined) withdrawals.push(this.#options.cluster.withdraw(entry.node));
      this.#dropHome(entry);
      this.#drop(entry, "server-stopped");
    }
    await Promise.allSettled(withdrawals);
  }

  /** A node on its way back, or to another instance, finds its guests' sessions and its port for this long. */
  #beginGrace(entry: Entry): void {
    this.#cancelGrace(entry);
    entry.cancelGrace = this.#options.clock.after(this.#options.config.graceMs, () => {
      entry.cancelGrace = undefined;
      this.#options.log.info("node-gone", { node: entry.node });
      if (entry.home !== undefined) this.#options.cluster.withdraw(entry.node).catch(this.#unexpected);
      this.#drop(entry, "node-gone");
    });
  }

  #cancelGrace(entry: Entry): void {
    entry.cancelGrace?.();
    entry.cancelGrace = undefined;
  }

  #ensureEntry(node: string, port: number): Promise<Result<Entry>> {
    const known = this.#entries.get(node);
    if (known !== undefined && known.port === port) return Promise.resolve(ok(known));
    const underWay = this.#opening.get(node);
    if (underWay !== undefined) return underWay;
    if (known !== undefined) this.#drop(known, "port-changed");
    const opening = this.#open(node, port).finally(() => this.#opening.delete(node));
    this.#opening.set(node, opening);
    return opening;
  }

  async #open(node: string, port: number): Promise<Result<Entry>> {
    const edge = new NodeEdge(node, this.#edgeHost);
    const udp = await UdpPort.open(this.#options.config.udp.host, port, edge.receiveUdp);
    if (!udp.ok) return udp;
    edge.udp = udp.value;
    if (this.#disposed) {
      edge.dispose("server-stopped");
      return fail("draining", "this server is stopping", "Connect again.");
    }
    const entry: Entry = { node, port, edge, home: undefined, cancelGrace: undefined };
    this.#entries.set(node, entry);
    return ok(entry);
  }

  #forward(session: EdgeSession, payload: Uint8Array): void {
    const { cluster, clock, counters } = this.#options;
    const home = this.#entries.get(session.node)?.home;
    if (home === undefined) {
      cluster.sendToNode(session.node, session.id, payload);
      return;
    }
    let at = session.home;
    if (at === undefined || !at.open) {
      at = home.open(this.#ends(session), session.via, clock.monotonicMs());
      if (at === undefined) {
        counters.dropped["node-sessions"]++;
        return;
      }
      session.home = at;
      if (session.proof.proven) this.#seal(session);
    }
    home.toNode(at, payload, clock.monotonicMs());
  }

  /** What a session of an edge here is to its node's home. */
  #ends(session: EdgeSession): Pick<HomeSession, "origin" | "deliver" | "onClosed"> {
    return {
      origin: String(session.id),
      deliver: (answer) => this.#entries.get(session.node)?.edge.deliver(session, answer),
      onClosed: (reason) => this.#entries.get(session.node)?.edge.close(session, reason),
    };
  }

  /** Only where the node is connected here: what comes in elsewhere is that instance's to find again. */
  #seal({ node, peer, home: at }: EdgeSession): void {
    const home = this.#entries.get(node)?.home;
    if (home === undefined || at === undefined || peer === undefined) return;
    const seal = this.#sealer.seal(node, at.id, peer, this.#options.clock.nowMs());
    if (seal !== undefined) home.seal(at, seal);
  }

  #restore({ node, edge }: Entry, home: NodeHome, id: number, seal: string): boolean {
    const { clock } = this.#options;
    const guest = this.#sealer.open(node, id, seal, clock.nowMs());
    const session = guest && edge.restoreUdp(guest.address, guest.port);
    if (session === undefined) return false;
    session.home = home.restore(this.#ends(session), id, clock.monotonicMs());
    if (session.home === undefined) edge.close(session, "no-room");
    return session.home !== undefined;
  }

  #fromOtherEdge(node: string, instance: string, edgeSession: number, payload: Uint8Array): void {
    const { cluster, clock, counters } = this.#options;
    const home = this.#entries.get(node)?.home;
    if (home === undefined) {
      counters.dropped["no-node"]++;
      return;
    }
    const origin = `${instance}|${edgeSession}`;
    const session: HomeSession | undefined =
      home.sessionOf(origin) ??
      home.open(
        {
          origin,
          deliver: (answer) => cluster.sendToGuest(instance, edgeSession, answer),
          onClosed: () => undefined,
        },
        "udp",
        clock.monotonicMs(),
      );
    if (session === undefined) counters.dropped["node-sessions"]++;
    else home.toNode(session, payload, clock.monotonicMs());
  }

  #edgeClosed(session: EdgeSession, reason: string): void {
    this.#edgeSessions.delete(session.id);
    const entry = this.#entries.get(session.node);
    if (entry?.home === undefined) this.#options.cluster.closeEdgeSession(session.node, session.id);
    else if (session.home !== undefined) entry.home.close(session.home, reason);
    session.home = undefined;
  }

  #dropHome(entry: Entry): void {
    this.#cancelGrace(entry);
    entry.home?.dispose();
    entry.home = undefined;
    for (const session of entry.edge.sessions) session.home = undefined;
  }

  #drop(entry: Entry, reason: string): void {
    this.#dropHome(entry);
    if (this.#entries.get(entry.node) === entry) this.#entries.delete(entry.node);
    entry.edge.dispose(reason);
  }

  #takeEdgeSessionId(): number {
    do this.#nextEdgeSession = (this.#nextEdgeSession + 1) >>> 0;
    while (this.#edgeSessions.has(this.#nextEdgeSession));
    return this.#nextEdgeSession;
  }

  #scheduleSweep(): void {
    const { clock, config } = this.#options;
    this.#cancelSweep = clock.after(SWEEP_EVERY_MS, () => {
      const nowMs = clock.monotonicMs();
      for (const { edge, home } of this.#entries.values()) {
        edge.sweep(nowMs, config.sessionIdleMs);
        home?.sweep(nowMs - config.sessionIdleMs - SWEEP_EVERY_MS);
      }
      this.#limiter.sweep(nowMs);
      this.#scheduleSweep();
    });
  }

  #scheduleProofs(): void {
    this.#cancelProofs = this.#options.clock.after(PROOFS_WRITTEN_EVERY_MS, () => {
      this.#writeProofs();
      this.#scheduleProofs();
    });
  }

  #writeProofs(): void {
    if (this.#newProofs.size === 0) return;
    const hashes = [...this.#newProofs.values()];
    this.#newProofs.clear();
    this.#remember(hashes);
    this.#options.cluster.shareProofs(hashes);
  }

  /** What a full disk does not take is lost: these guests shake hands once more after a restart. */
  #remember(hashes: readonly Buffer[]): void {
    const nowMs = this.#options.clock.nowMs();
    const written = this.#options.store.addProofs(hashes, nowMs + PROOF_LIFETIME_MS, nowMs);
    if (!written.ok) this.#options.log.error("proofs-not-written", { message: written.error.message });
  }

  readonly #unexpected = (error: unknown): void => {
    this.#options.log.error("unexpected", { message: error instanceof Error ? error.message : String(error) });
  };
}
