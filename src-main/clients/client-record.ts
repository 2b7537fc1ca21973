/** A client as the node keeps it, and as its owner sees it. */
import { type Client, CONNECTED_WITHIN_MS } from "../../src-shared/model/client.ts";
import { addressesOf, type GuestPrefixes } from "./address-allocator.ts";

export interface ClientRecord {
  readonly id: string;
  readonly name: string;
  readonly publicKey: string;
  readonly presharedKey: string;
  /** From which its addresses follow, see address-allocator.ts. */
  readonly hostNumber: number;
  readonly createdAtMs: number;
  readonly paused: boolean;
  /** Received from the client since it was added. */
  readonly rxBytes: number;
  /** Sent to the client since it was added. */
  readonly txBytes: number;
  readonly lastHandshakeAtMs: number | null;
}

/** `addresses` is empty where the guest network has become too small for this client. */
export function toClient(
  record: ClientRecord,
  prefixes: GuestPrefixes,
  nowMs: number,
  limits: Pick<Client, "limit" | "quota"> = {},
): Client {
  const { lastHandshakeAtMs } = record;
  return {
    id: record.id,
    name: record.name,
    publicKey: record.publicKey,
    addresses: addressesOf(record.hostNumber, prefixes) ?? [],
    createdAt: new Date(record.createdAtMs).toISOString(),
    paused: record.paused,
    connected: !record.paused && lastHandshakeAtMs !== null && nowMs - lastHandshakeAtMs < CONNECTED_WITHIN_MS,
    usage: { rxBytes: record.rxBytes, txBytes: record.txBytes },
    ...(lastHandshakeAtMs === null ? {} : { lastHandshakeAt: new Date(lastHandshakeAtMs).toISOString() }),
    ...limits,
  };
}
