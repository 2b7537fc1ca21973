/** Clients of a scripted node, one of each kind, or as many as one likes. */

import { randomBytes } from "node:crypto";
import type { Client } from "../../src-shared/model/client.ts";
import { ago, ENDPOINT } from "./scripted-values.ts";

/** Drawn anew for every run: none of them opens anything. */
export const KEYS = Array.from({ length: 4 }, () => randomBytes(32).toString("base64"));

export const CONFIGURATION = `[Interface]
PrivateKey = ${KEYS[1]}
Address = 10.66.0.2/32, fd66::2/128
DNS = 10.66.0.1

[Peer]
PublicKey = ${KEYS[0]}
AllowedIPs = 0.0.0.0/0, ::/0
Endpoint = ${ENDPOINT.host}:${ENDPOINT.port}
`;

export function aClient(changes: Partial<Client> = {}): Client {
  return {
    id: "c1",
    name: "Anna's phone",
    publicKey: KEYS[2] ?? "",
    addresses: ["10.66.0.2", "fd66:1:2:3::2"],
    createdAt: ago(864_000),
    paused: false,
    connected: false,
    usage: { rxBytes: 0, txBytes: 0 },
    ...changes,
  };
}

/** One of each: connected directly with limits, through the relay, away, paused, its quota used up, outside its hours. */
export function someClients(): Client[] {
  const usage = { rxBytes: 212_000_000, txBytes: 3_400_000_000 };
  const quota = {
    bytes: 50_000_000_000,
    usedBytes: 43_000_000_000,
    action: "pause",
    resetDay: 1,
    timeZone: "Europe/Berlin",
    since: "2026-11-01",
    exhausted: false,
  } as const;
  const schedule = {
    timeZone: "Europe/Berlin",
    windows: [{ days: ["mon", "tue", "wed", "thu", "fri"], from: "08:00", to: "18:00" }],
    outside: "pause",
  } satisfies NonNullable<Client["limit"]>["schedule"];
  return [
    aClient({
      connected: true,
      way: "direct",
      usage,
      lastHandshakeAt: ago(20),
      rate: { rxBytesPerSecond: 31_000, txBytesPerSecond: 1_240_000 },
      limit: { down: "10mbit", up: "5mbit", state: "limited" },
      quota,
    }),
    aClient({
      id: "c2",
      addresses: ["10.66.0.3"],
      name: "Boris",
      connected: true,
      way: "relay",
      usage,
      lastHandshakeAt: ago(50),
      rate: { rxBytesPerSecond: 2_100, txBytesPerSecond: 88_000 },
    }),
    aClient({ id: "c3", addresses: ["10.66.0.4"], name: "Living room TV", lastHandshakeAt: ago(90_000), usage }),
    aClient({ id: "c4", addresses: ["10.66.0.5"], name: "Lena", paused: true, lastHandshakeAt: ago(7_000) }),
    aClient({
      id: "c5",
      addresses: ["10.66.0.6"],
      name: "Old laptop",
      limit: { state: "paused-by-quota" },
      quota: { ...quota, usedBytes: 50_000_000_000, exhausted: true },
      lastHandshakeAt: ago(3_600),
    }),
    aClient({
      id: "c6",
      addresses: ["10.66.0.7"],
      name: "Office",
      limit: { down: "20mbit", schedule, state: "paused-by-schedule" },
    }),
  ];
}

export function manyClients(count: number): Client[] {
  return Array.from({ length: count }, (_, at) =>
    aClient({
      id: `m${at}`,
      name: `Client ${String(at).padStart(4, "0")}`,
      addresses: [`10.66.${at >> 8}.${at & 255}`],
      connected: at % 3 === 0,
      ...(at % 3 === 0 ? { way: "direct" as const, rate: { rxBytesPerSecond: at, txBytesPerSecond: at * 40 } } : {}),
      usage: { rxBytes: at * 1_000, txBytes: at * 90_000 },
      lastHandshakeAt: ago(at),
    }),
  );
}
