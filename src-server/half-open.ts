/**
 * TCP connections that have not shown who they are. Each has a deadline; one source has a few; and when all
 * places are taken the oldest goes: a real peer is through in a second, an idle stranger is not.
 */
import type { Socket } from "node:net";
import type { CancelTimer, Clock } from "../src-shared/clock.ts";
import type { Counters } from "./counters.ts";

export interface HalfOpenLimits {
  readonly halfOpen: number;
  readonly halfOpenPerSource: number;
}

interface Stranger {
  readonly socket: Socket;
  network: string | undefined;
  readonly cancel: CancelTimer;
}

export class HalfOpenConnections {
  #limits: HalfOpenLimits;
  #timeoutMs: number;
  #clock: Clock;
  #counters: Counters;
  /** By remote address and port, in the order of their coming. */
  #strangers = new Map<string, Stranger>();
  #perNetwork = new Map<string, number>();

  constructor(limits: HalfOpenLimits, timeoutMs: number, clock: Clock, counters: Counters) {
    this.#limits = limits;
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
    this.#counters = counters;
  }

  get size(): number {
    return this.#strangers.size;
  }

  /**
   * Puts a connection on record, or destroys it.
   * @param network undefined for a proxy, whose connections are told apart once their request was read
   */
  add(socket: Socket, network: string | undefined): void {
    const key = connectionKey(socket);
    if (key === undefined) {
      socket.destroy();
      return;
    }
    if (network !== undefined && !this.#count(network)) {
      this.#counters.refused["half-open"]++;
      socket.destroy();
      return;
    }
    if (this.#strangers.size >= this.#limits.halfOpen) this.#evictOldest();
    const cancel = this.#clock.after(this.#timeoutMs, () => {
      if (!this.settle(key)) return;
      this.#counters.refused["handshake-timeout"]++;
      socket.destroy();
    });
    this.#strangers.set(key, { socket, network, cancel });
    socket.once("close", () => this.settle(key));
  }

  /** Names the source of a proxied connection; false when that source has too many. */
  name(key: string, network: string): boolean {
    const stranger = this.#strangers.get(key);
    if (stranger === undefined || stranger.network !== undefined) return stranger !== undefined;
    if (!this.#count(network)) {
      this.#counters.refused["half-open"]++;
      return false;
    }
    stranger.network = network;
    return true;
  }

  /** The connection is no stranger any more, or has gone. False when it was not on record. */
  settle(key: string): boolean {
    const stranger = this.#strangers.get(key);
    if (stranger === undefined) return false;
    this.#strangers.delete(key);
    stranger.cancel();
    const { network } = stranger;
    if (network !== undefined) {
      const left = (this.#perNetwork.get(network) ?? 1) - 1;
      if (left === 0) this.#perNetwork.delete(network);
      else this.#perNetwork.set(network, left);
    }
    return true;
  }

  dispose(): void {
    for (const [key, { socket }] of [...this.#strangers]) {
      this.settle(key);
      socket.destroy();
    }
  }

  #count(network: string): boolean {
    const count = this.#perNetwork.get(network) ?? 0;
    if (count >= this.#limits.halfOpenPerSource) return false;
    this.#perNetwork.set(network, count + 1);
    return true;
  }

  #evictOldest(): void {
    for (const [key, { socket }] of this.#strangers) {
      this.settle(key);
      this.#counters.refused["half-open"]++;
      socket.destroy();
      return;
    }
  }
}

/** What names a connection on both sides of its TLS layer. */
export function connectionKey(socket: Socket): string | undefined {
  const { remoteAddress, remotePort } = socket;
  return remoteAddress === undefined ? undefined : `${remoteAddress}|${remotePort ?? 0}`;
}
