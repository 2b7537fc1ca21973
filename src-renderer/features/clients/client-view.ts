/** What a row of the clients table says, and the name of a client's file. */
import type { Client } from "../../../src-shared/model/client.ts";
import type { Texts } from "../../../src-shared/text/en.ts";
import { formatAgo, formatBytes } from "../../../src-shared/text/format.ts";

export interface ClientRow {
  readonly id: string;
  readonly name: string;
  readonly state: "connected" | "paused" | "away";
  readonly stateText: string;
  readonly lastSeen: string;
  /** The absolute time, for the title; undefined where the client was never seen. */
  readonly lastSeenAt: string | undefined;
  readonly received: string;
  readonly sent: string;
  readonly addresses: string;
}

export function clientRow(client: Client, nowMs: number, texts: Texts): ClientRow {
  const state = client.paused ? "paused" : client.connected ? "connected" : "away";
  return {
    id: client.id,
    name: client.name,
    state,
    stateText: texts.clients[state],
    lastSeen: client.lastHandshakeAt === undefined ? texts.clients.never : formatAgo(client.lastHandshakeAt, nowMs),
    lastSeenAt: client.lastHandshakeAt,
    received: formatBytes(client.usage.rxBytes),
    sent: formatBytes(client.usage.txBytes),
    addresses: client.addresses.join(", "),
  };
}

/** WireGuard's apps and wg-quick(8) take the tunnel's name from the file's: 15 characters of this alphabet. */
const LONGEST_TUNNEL_NAME = 15;

/** `Anna's phone` → `Annas-phone.conf`; what no tunnel may be called becomes `higgsnode.conf`. */
export function configFileName(clientName: string): string {
  const name = clientName
    .normalize("NFKD")
    .replace(/ +/g, "-")
    .replace(/[^a-zA-Z0-9_.-]/g, "")
    .slice(0, LONGEST_TUNNEL_NAME)
    .replace(/^[.-]+|[.-]+$/g, "");
  return `${name === "" ? "higgsnode" : name}.conf`;
}
