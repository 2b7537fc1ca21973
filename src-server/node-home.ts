/**
 * A node where it is connected: its sessions by the u16 ids of the wire, and the link they go over. The
 * sessions outlive a lost link for a grace time, so that the node finds them again, ids and all.
 *
 *   connected ──link lost──▶ in grace ──same node, same resume token──▶ connected
 *                               └──grace over──▶ closed
 */
import { randomBytes, randomInt } from "node:crypto";
import { MAX_SESSION_ID } from "../src-shared/relay/frame.ts";
import { TokenBucket } from "../src-shared/relay/token-bucket.ts";
import type { Limits } from "./config.ts";
import type { Counters } from "./counters.ts";

/** The part of a node's connection that carries its sessions. */
export interface NodeLink {
  sendDatagram(session: number, payload: Uint8Array): void;
  openSession(session: number, via: "udp" | "websocket"): void;
  /** Hands the node a guest's address to keep. */
  sealSession(session: number, seal: string): void;
  closeSession(session: number, reason: string): void;
  /** The node is connected by another link now, here or on another instance: this one closes. */
  replaced(): void;
}

export interface HomeSession {
  /** 0 to 65535, unique within the node. */
  readonly id: number;
  /** `instance|edge session`, or the edge session alone when it is here. */
  readonly origin: string;
  readonly deliver: (payload: Uint8Array) => void;
  readonly onClosed: (reason: string) => void;
  activeMs: number;
  open: boolean;
}

/** Seconds of its rate a node may burst. */
const BURST_SECONDS = 0.25;

export class NodeHome {
  readonly resume = randomBytes(16).toString("base64url");
  #limits: Limits;
  #counters: Counters;
  #link: NodeLink | undefined;
  #sessions = new Map<number, HomeSession>();
  #byOrigin = new Map<string, HomeSession>();
  /** Somewhere else after each restart, so that new sessions rarely take the id of one that is to be restored. */
  #nextId = randomInt(MAX_SESSION_ID + 1);
  #toNode: { packets: TokenBucket; bytes: TokenBucket };
  #fromNode: { packets: TokenBucket; bytes: TokenBucket };

  constructor(limits: Limits, counters: Counters, nowMs: number) {
    this.#limits = limits;
    this.#counters = counters;
    this.#toNode = this.#buckets(nowMs);
    this.#fromNode = this.#buckets(nowMs);
  }

  get connected(): boolean {
    return this.#link !== undefined;
  }

  get sessionIds(): number[] {
    return [...this.#sessions.keys()];
  }

  /** The older link, where there is one, is told that it has been replaced. */
  attach(link: NodeLink): void {
    const older = this.#link;
    this.#link = link;
    if (older !== link) older?.replaced();
  }

  /** Does nothing when another link has taken over. */
  detach(link: NodeLink): boolean {
    if (this.#link !== link) return false;
    this.#link = undefined;
    return true;
  }

  sessionOf(origin: string): HomeSession | undefined {
    return this.#byOrigin.get(origin);
  }

  /** A new session for `origin`; undefined when the node has as many as it may. */
  open(session: Pick<HomeSession, "origin" | "deliver" | "onClosed">, via: "udp" | "websocket", nowMs: number) {
    if (this.#sessions.size >= this.#limits.sessionsPerNode) return undefined;
    // Ids go round, so that a closed session's late datagrams find nobody rather than a stranger.
    while (this.#sessions.has(this.#nextId)) this.#nextId = (this.#nextId + 1) & MAX_SESSION_ID;
    const opened = this.#add(session, this.#nextId, nowMs);
    this.#nextId = (this.#nextId + 1) & MAX_SESSION_ID;
    this.#link?.openSession(opened.id, via);
    return opened;
  }

  has(id: number): boolean {
    return this.#sessions.has(id);
  }

  /** A session that the node still has, under its old id; undefined when there is no room or the id is taken. */
  restore(session: Pick<HomeSession, "origin" | "deliver" | "onClosed">, id: number, nowMs: number) {
    if (this.#sessions.size >= this.#limits.sessionsPerNode || this.#sessions.has(id)) return undefined;
    return this.#add(session, id, nowMs);
  }

  /** Tells the node that there is no session `id`. */
  refuse(id: number, reason: string): void {
    this.#link?.closeSession(id, reason);
  }

  seal(session: HomeSession, seal: string): void {
    if (session.open) this.#link?.sealSession(session.id, seal);
  }

  /** Passes a guest's datagram on to the node, within the node's rate. */
  toNode(session: HomeSession, payload: Uint8Array, nowMs: number): void {
    session.activeMs = nowMs;
    if (this.#link === undefined) {
      this.#counters.dropped["no-node"]++;
      return;
    }
    if (!take(this.#toNode, payload.length, nowMs)) {
      this.#counters.dropped["node-rate"]++;
      return;
    }
    this.#counters.toNodesDatagrams++;
    this.#counters.toNodesBytes += payload.length;
    this.#link.sendDatagram(session.id, payload);
  }

  /** Passes bytes `start` to `end` of a node's message on to the guest of session `id`. */
  fromNode(id: number, message: Uint8Array, start: number, end: number, nowMs: number): void {
    if (!take(this.#fromNode, end - start, nowMs)) {
      this.#counters.dropped["node-rate"]++;
      return;
    }
    const session = this.#sessions.get(id);
    if (session === undefined) {
      this.#counters.dropped["unknown-session"]++;
      return;
    }
    session.activeMs = nowMs;
    session.deliver(message.subarray(start, end));
  }

  /** The guest's side has ended. */
  close(session: HomeSession, reason: string): void {
    if (!this.#forget(session)) return;
    this.#link?.closeSession(session.id, reason);
  }

  /** The node's side has ended session `id`; an unknown id is a late message and means nothing. */
  closeFromNode(id: number, reason: string): void {
    const session = this.#sessions.get(id);
    if (session !== undefined && this.#forget(session)) session.onClosed(reason);
  }

  /** Closes sessions without a datagram since `beforeMs`: those whose edge has vanished without a word. */
  sweep(beforeMs: number): void {
    for (const session of [...this.#sessions.values()]) {
      if (session.activeMs >= beforeMs || !this.#forget(session)) continue;
      this.#link?.closeSession(session.id, "idle");
      session.onClosed("idle");
    }
  }

  /** Ends every session; their guests' edges keep them and open new ones when the node is found again. */
  dispose(): void {
    for (const session of [...this.#sessions.values()]) this.#forget(session);
    const link = this.#link;
    this.#link = undefined;
    link?.replaced();
  }

  #add(session: Pick<HomeSession, "origin" | "deliver" | "onClosed">, id: number, nowMs: number): HomeSession {
    const added: HomeSession = { ...session, id, activeMs: nowMs, open: true };
    this.#sessions.set(id, added);
    this.#byOrigin.set(added.origin, added);
    return added;
  }

  #forget(session: HomeSession): boolean {
    if (!session.open) return false;
    session.open = false;
    this.#sessions.delete(session.id);
    this.#byOrigin.delete(session.origin);
    return true;
  }

  #buckets(nowMs: number) {
    const { nodePacketsPerSecond: packets, nodeBytesPerSecond: bytes } = this.#limits;
    return {
      packets: new TokenBucket(packets, Math.max(64, packets * BURST_SECONDS), nowMs),
      bytes: new TokenBucket(bytes, Math.max(131_072, bytes * BURST_SECONDS), nowMs),
    };
  }
}

function take({ packets, bytes }: { packets: TokenBucket; bytes: TokenBucket }, size: number, nowMs: number): boolean {
  return bytes.has(size, nowMs) && packets.take(1, nowMs) && bytes.take(size, nowMs);
}
