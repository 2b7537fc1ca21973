/** From counters of an interface, which begin at 0 whenever a peer or the interface is made anew, to totals. */
import type { ObservedPeer } from "../../src-shared/network-observation.ts";
import type { StoredClient } from "./client-table.ts";

/**
 * What `client` becomes once `peer` is counted; `peer` is undefined when the interface has no such peer,
 * and then its next counter begins at 0. Returns the same object when nothing changed. Totals never shrink and no byte is
 * counted twice; should a counter start again and overtake its old value between two looks, some are missed.
 */
export function countUsage(client: StoredClient, peer: ObservedPeer | undefined): StoredClient {
  const rx = peer?.rxBytes ?? 0;
  const tx = peer?.txBytes ?? 0;
  const lastHandshakeAtMs = latest(client.lastHandshakeAtMs, peer?.latestHandshakeAtMs ?? null);
  if (rx === client.seenRxBytes && tx === client.seenTxBytes && lastHandshakeAtMs === client.lastHandshakeAtMs) {
    return client;
  }
  // Both counters of a peer start again together: one that shrank tells it for both.
  const anew = rx < client.seenRxBytes || tx < client.seenTxBytes;
  return {
    ...client,
    rxBytes: client.rxBytes + rx - (anew ? 0 : client.seenRxBytes),
    txBytes: client.txBytes + tx - (anew ? 0 : client.seenTxBytes),
    seenRxBytes: rx,
    seenTxBytes: tx,
    lastHandshakeAtMs,
  };
}

function latest(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.max(a, b);
}
