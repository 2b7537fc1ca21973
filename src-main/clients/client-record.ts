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

/** What is known of a client beside its record: what it may use, and how it is connected. */
export interface ClientFacts {
  readonly limits?: Pick<Client, "limit" | "quota">;
  /** Rate and way as the interface shows them; told only while the client is connected. */
  readonly live?: Pick<Client, "rate" | "way">;
}

/** WireGuard knows no connections: a handshake that is not older than a session may be stands for one. */
export function isConnected({ paused, lastHandshakeAtMs }: ClientRecord, nowMs: number): boolean {
  return !paused && lastHandshakeAtMs !== null && nowMs - lastHandshakeAtMs < CONNECTED_WITHIN_MS;
}

/** `addresses` is empty where the guest network has become too small for this client. */
export function toClient(
  record: ClientRecord,
  prefixes: GuestPrefixes,
  nowMs: number,
  { limits = {}, live = {} }: ClientFacts = {},
): Client {
  const { lastHandshakeAtMs } = record;
  const connected = isConnected(record, nowMs);
  return {
    id: record.id,
    name: record.name,
    publicKey: record.publicKey,
    addresses: addressesOf(record.hostNumber, prefixes) ?? [],
    createdAt: new Date(record.createdAtMs).toISOString(),
    paused: record.paused,
    connected,
    usage: { rxBytes: record.rxBytes, txBytes: record.txBytes },
    ...(lastHandshakeAtMs === null ? {} : { lastHandshakeAt: new Date(lastHandshakeAtMs).toISOString() }),
    ...(connected && live.rate !== undefined ? { rate: live.rate } : {}),
    ...(connected && live.way !== undefined ? { way: live.way } : {}),
    ...limits,
  };
}
