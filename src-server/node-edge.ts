/**
 * Where guests of one node come in: its UDP port and the sessions by source. Decides who may send, and keeps
 * what a source that has not been proven gets below what it gave.
 */
import { TokenBucket } from "../src-shared/relay/token-bucket.ts";
import { WIREGUARD_DATA, WIREGUARD_INITIATION, wireguardMessageType } from "../src-shared/relay/wireguard-message.ts";
import { fail, ok, type Result } from "../src-shared/result.ts";
import { AddressProof } from "./address-proof.ts";
import type { Limits } from "./config.ts";
import type { Counters } from "./counters.ts";
import type { EdgeSession } from "./edge-session.ts";
import { networkOf, type SourceLimiter } from "./source-limiter.ts";
import type { UdpPort } from "./udp-port.ts";

/** An unproven session that is not answered is a stranger's; WireGuard tries again after 5 s. */
const UNPROVEN_IDLE_MS = 15_000;
/** A third of what a proof and a sealed address last (REJECT_AFTER_TIME of WireGuard), so they are renewed in good time. */
export const PROOF_NOTED_EVERY_MS = 60_000;

export interface EdgeHost {
  readonly limits: Limits;
  readonly counters: Counters;
  readonly limiter: SourceLimiter;
  nowMs(): number;
  nextSessionId(): number;
  /** A session came into being or ended; the host routes by its id. */
  onOpened(session: EdgeSession): void;
  onClosed(session: EdgeSession, reason: string): void;
  /** Towards the node, wherever it is. */
  forward(session: EdgeSession, payload: Uint8Array): void;
  wasProven(node: string, source: string): boolean;
  /** The guest has just shown, or shown again, that its address is its own. */
  noteProof(session: EdgeSession): void;
}

export class NodeEdge {
  readonly node: string;
  #host: EdgeHost;
  #udp: UdpPort | undefined;
  #sessions = new Map<string, EdgeSession>();
  #opens: TokenBucket;

  constructor(node: string, host: EdgeHost) {
    this.node = node;
    this.#host = host;
    const { sessionOpensPerSecond } = host.limits;
    this.#opens = new TokenBucket(sessionOpensPerSecond, Math.max(1, sessionOpensPerSecond), host.nowMs());
  }

  get sessions(): Iterable<EdgeSession> {
    return this.#sessions.values();
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  /** The socket this edge answers through, from then on owned by it. */
  set udp(port: UdpPort) {
    this.#udp?.close();
    this.#udp = port;
  }

  /** A datagram of the UDP port. */
  readonly receiveUdp = (payload: Uint8Array, address: string, port: number): void => {
    const { counters, limiter } = this.#host;
    const nowMs = this.#host.nowMs();
    const network = networkOf(address);
    if (!limiter.admit(network, payload.length, nowMs)) {
      counters.dropped["source-rate"]++;
      return;
    }
    const type = wireguardMessageType(payload);
    if (type === undefined) {
      counters.dropped["not-wireguard"]++;
      return;
    }
    const source = `${address}|${port}`;
    let session = this.#sessions.get(source);
    if (session === undefined) {
      if (type !== WIREGUARD_INITIATION && type !== WIREGUARD_DATA) {
        counters.dropped["unknown-session"]++;
        return;
      }
      session = this.#openUdp(source, network, address, port, nowMs);
      if (session === undefined) return;
    }
    session.activeMs = nowMs;
    if (session.proof.received(payload, type)) session.proofNotedMs = Number.NEGATIVE_INFINITY;
    if (session.proof.proven && nowMs - session.proofNotedMs >= PROOF_NOTED_EVERY_MS) {
      session.proofNotedMs = nowMs;
      this.#host.noteProof(session);
    }
    this.#host.forward(session, payload);
  };

  /** A session of a guest over WebSocket; TCP has shown already that answers reach it. */
  openWebSocket(
    network: string,
    deliver: (payload: Uint8Array) => void,
    onClosed: (reason: string) => void,
  ): Result<EdgeSession> {
    const nowMs = this.#host.nowMs();
    if (!this.#admitSession(network, nowMs)) {
      return fail("too-many-sessions", "this node or this address has too many guests", "Try again in a minute.");
    }
    const id = this.#host.nextSessionId();
    const session: EdgeSession = {
      id,
      node: this.node,
      source: `websocket|${id}`,
      peer: undefined,
      network,
      via: "websocket",
      proof: new AddressProof(true),
      deliver,
      onClosed,
      activeMs: nowMs,
      proofNotedMs: nowMs,
      home: undefined,
    };
    this.#add(session);
    return ok(session);
  }

  /**
   * A session as it was before a restart, towards an address that has not been heard from since; undefined
   * where that one is not known as proven, is here already, or has as many sessions as it may.
   */
  restoreUdp(address: string, port: number): EdgeSession | undefined {
    const source = `${address}|${port}`;
    const network = networkOf(address);
    const { limiter, limits } = this.#host;
    if (this.#sessions.has(source) || this.#sessions.size >= limits.sessionsPerNode) return undefined;
    const nowMs = this.#host.nowMs();
    if (!this.#host.wasProven(this.node, source) || !limiter.openSession(network, nowMs)) return undefined;
    return this.#addUdp(source, network, address, port, true, nowMs);
  }

  /** A datagram of a guest over WebSocket. */
  receiveWebSocket(session: EdgeSession, payload: Uint8Array): void {
    const { counters, limiter } = this.#host;
    const nowMs = this.#host.nowMs();
    if (!limiter.admit(session.network, payload.length, nowMs)) counters.dropped["source-rate"]++;
    else if (wireguardMessageType(payload) === undefined) counters.dropped["not-wireguard"]++;
    else {
      session.activeMs = nowMs;
      this.#host.forward(session, payload);
    }
  }

  /** Passes a node's datagram on to the guest, unless that would amplify. */
  deliver(session: EdgeSession, payload: Uint8Array): void {
    const { counters } = this.#host;
    const type = wireguardMessageType(payload);
    if (type === undefined) {
      counters.dropped["not-wireguard"]++;
      return;
    }
    if (!session.proof.maySend(payload, type)) {
      counters.dropped["unproven-source"]++;
      return;
    }
    session.activeMs = this.#host.nowMs();
    counters.toGuestsDatagrams++;
    counters.toGuestsBytes += payload.length;
    session.deliver(payload);
  }

  close(session: EdgeSession, reason: string): void {
    if (!this.#sessions.delete(session.source)) return;
    this.#host.limiter.closeSession(session.network);
    this.#host.onClosed(session, reason);
    session.onClosed(reason);
  }

  sweep(nowMs: number, idleMs: number): void {
    for (const session of [...this.#sessions.values()]) {
      const allowedMs = session.proof.proven ? idleMs : Math.min(idleMs, UNPROVEN_IDLE_MS);
      if (nowMs - session.activeMs > allowedMs) this.close(session, "idle");
    }
  }

  dispose(reason: string): void {
    for (const session of [...this.#sessions.values()]) this.close(session, reason);
    this.#udp?.close();
    this.#udp = undefined;
  }

  #openUdp(source: string, network: string, address: string, port: number, nowMs: number): EdgeSession | undefined {
    if (!this.#admitSession(network, nowMs)) return undefined;
    return this.#addUdp(source, network, address, port, this.#host.wasProven(this.node, source), nowMs);
  }

  #addUdp(source: string, network: string, address: string, port: number, proven: boolean, nowMs: number): EdgeSession {
    const session: EdgeSession = {
      id: this.#host.nextSessionId(),
      node: this.node,
      source,
      peer: { address, port },
      network,
      via: "udp",
      proof: new AddressProof(proven),
      deliver: (payload) => {
        if (this.#udp?.send(payload, address, port) !== true) this.#host.counters.dropped["udp-full"]++;
      },
      onClosed: () => undefined,
      activeMs: nowMs,
      proofNotedMs: Number.NEGATIVE_INFINITY,
      home: undefined,
    };
    this.#add(session);
    return session;
  }

  #admitSession(network: string, nowMs: number): boolean {
    const { counters, limiter, limits } = this.#host;
    if (!this.#opens.take(1, nowMs)) {
      counters.dropped["open-rate"]++;
      return false;
    }
    if (this.#sessions.size >= limits.sessionsPerNode && !this.#evictUnproven()) {
      counters.dropped["node-sessions"]++;
      return false;
    }
    if (!limiter.openSession(network, nowMs)) {
      counters.dropped["source-limit"]++;
      return false;
    }
    return true;
  }

  #add(session: EdgeSession): void {
    this.#sessions.set(session.source, session);
    this.#host.onOpened(session);
  }

  /** Makes room by ending the oldest session that nobody has proven; forged sources must not keep guests out. */
  #evictUnproven(): boolean {
    for (const session of this.#sessions.values()) {
      if (session.proof.proven) continue;
      this.close(session, "evicted");
      return true;
    }
    return false;
  }
}
