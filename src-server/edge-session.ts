/** One guest as it is seen where it comes in: its address or its WebSocket, and what it has shown of itself. */
import type { AddressProof } from "./address-proof.ts";
import type { HomeSession } from "./node-home.ts";

export interface EdgeSession {
  /** Unique on this instance. */
  readonly id: number;
  readonly node: string;
  /** `address|port`, or unique to a WebSocket. */
  readonly source: string;
  /** Where its datagrams come from; undefined for a WebSocket. */
  readonly peer: { readonly address: string; readonly port: number } | undefined;
  /** What its rates are counted under. */
  readonly network: string;
  readonly via: "udp" | "websocket";
  readonly proof: AddressProof;
  /** Passes a datagram on to the guest. */
  readonly deliver: (payload: Uint8Array) => void;
  /** Tells the guest that this is over, where there is a way to. */
  readonly onClosed: (reason: string) => void;
  /** Monotonic milliseconds of the last datagram either way. */
  activeMs: number;
  /** Monotonic milliseconds of the last time its proof was written down. */
  proofNotedMs: number;
  /** Its session at the node, while the node is connected here. */
  home: HomeSession | undefined;
}
