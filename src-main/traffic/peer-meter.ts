/** How fast each guest's traffic goes, from two readings of the peers' counters. */
import type { Client } from "../../src-shared/model/client.ts";
import type { ObservedPeer, ObservedWireguard } from "../../src-shared/network-observation.ts";

/** Over a shorter time a few packets more or less would look like a jump; such a reading is left for the next one. */
const SHORTEST_MS = 1_000;

/** Peers are read every two seconds; after a pause like this a mean over it would say nothing of now. */
const LONGEST_MS = 60_000;

export type Rate = NonNullable<Client["rate"]>;
export type Way = NonNullable<Client["way"]>;

/** What passed through the tunnel since the reading before; rx = received from guests. */
export interface MeterReading {
  readonly seconds: number;
  readonly rxBytes: number;
  readonly txBytes: number;
}

interface Counters {
  readonly rxBytes: number;
  readonly txBytes: number;
}

const NONE: Counters = { rxBytes: 0, txBytes: 0 };

export class PeerMeter {
  readonly #monotonicMs: () => number;
  #before: { atMs: number; peers: ReadonlyMap<string, Counters> } | undefined;
  #rates: ReadonlyMap<string, Rate> = new Map();
  #ways: ReadonlyMap<string, Way> = new Map();

  constructor(clock: { monotonicMs(): number }) {
    this.#monotonicMs = () => clock.monotonicMs();
  }

  /**
   * Takes in one reading. Undefined where it cannot be compared: the first one, one too soon after the last (which
   * stays the one to compare with), or one after a pause. Without an interface every counter begins at 0 again.
   */
  read(seen: ObservedWireguard): MeterReading | undefined {
    const atMs = this.#monotonicMs();
    if (seen.state !== "present") {
      this.#before = { atMs, peers: new Map() };
      this.#rates = new Map();
      this.#ways = new Map();
      return undefined;
    }
    // The relay's probe has no addresses, and nobody is served by it.
    const guests = seen.peers.filter((peer) => peer.allowedIps.length > 0);
    this.#ways = new Map(guests.flatMap((peer) => wayOf(peer)));
    const before = this.#before;
    const elapsedMs = before === undefined ? 0 : atMs - before.atMs;
    if (before !== undefined && elapsedMs < SHORTEST_MS) return undefined;
    this.#before = { atMs, peers: new Map(guests.map((peer) => [peer.publicKey, peer])) };
    this.#rates = new Map();
    if (before === undefined || elapsedMs > LONGEST_MS) return undefined;
    return this.#compare(guests, before.peers, elapsedMs / 1000);
  }

  /** Rate and way, each absent where the readings do not tell it. */
  liveOf(publicKey: string): { rate?: Rate; way?: Way } {
    const rate = this.#rates.get(publicKey);
    const way = this.#ways.get(publicKey);
    return { ...(rate === undefined ? {} : { rate }), ...(way === undefined ? {} : { way }) };
  }

  #compare(guests: readonly ObservedPeer[], before: ReadonlyMap<string, Counters>, seconds: number): MeterReading {
    const rates = new Map<string, Rate>();
    let rxBytes = 0;
    let txBytes = 0;
    for (const peer of guests) {
      const last = before.get(peer.publicKey) ?? NONE;
      // Both counters of a peer start again together when it is made anew.
      const base = peer.rxBytes < last.rxBytes || peer.txBytes < last.txBytes ? NONE : last;
      const rx = peer.rxBytes - base.rxBytes;
      const tx = peer.txBytes - base.txBytes;
      rxBytes += rx;
      txBytes += tx;
      rates.set(peer.publicKey, {
        rxBytesPerSecond: Math.round(rx / seconds),
        txBytesPerSecond: Math.round(tx / seconds),
      });
    }
    this.#rates = rates;
    return { seconds, rxBytes, txBytes };
  }
}

/** Nobody but the relay's sessions at this end speaks to WireGuard from loopback: the kernel drops such packets from outside. */
function wayOf({ publicKey, endpoint }: ObservedPeer): [string, Way][] {
  if (endpoint === null) return [];
  return [[publicKey, /^(127\.|\[::1\]:)/.test(endpoint) ? "relay" : "direct"]];
}
