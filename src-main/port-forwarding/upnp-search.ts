/** Finds Internet Gateway Devices by SSDP: the gateway is asked directly, then everybody on the network. */
import type { CancelTimer } from "../../src-shared/clock.ts";
import { containsAddress, parseAddress, parsePrefix } from "../../src-shared/net/address.ts";
import type { DatagramSocket, Sender } from "./datagrams.ts";
import type { HomeNetwork } from "./mapping.ts";
import type { MappingIo } from "./mapping-io.ts";
import {
  decodeSsdp,
  encodeSearch,
  FIREWALL_CONTROL_V1,
  IGD_V1,
  IGD_V2,
  SSDP_GROUP,
  SSDP_GROUP_IPV6,
  SSDP_PORT,
} from "./ssdp-message.ts";

/** As the first repeat of PCP: what has not answered a direct question by then may still answer one to all. */
const MULTICAST_AFTER_MS = 250;
const MULTICAST_AGAIN_MS = 1_000;
/** Over how long devices spread their answers to a question to all; the least that is allowed. */
const MULTICAST_WAIT_SECONDS = 1;

/** Devices whose answers are followed up. A home has one, seldom two. */
const MAX_DEVICES = 4;

/** What is asked for, and where all are asked at once, by the family of the gateway's address. */
const WAYS = {
  4: { group: SSDP_GROUP, toGateway: [IGD_V1, "upnp:rootdevice"], toAll: [IGD_V1, IGD_V2] },
  6: { group: SSDP_GROUP_IPV6, toGateway: [FIREWALL_CONTROL_V1, "upnp:rootdevice"], toAll: [FIREWALL_CONTROL_V1] },
} as const;

export interface FoundDevice {
  /** An http URL whose host is the address that answered. */
  location: string;
  address: string;
  bootId: string | undefined;
  isGateway: boolean;
}

export interface SearchOptions {
  io: MappingIo;
  network: HomeNetwork;
  signal: AbortSignal;
  onFound: (device: FoundDevice) => void;
  /** An answer that points elsewhere, or comes from outside the network, and is not followed. */
  onForeign: () => void;
  /** The gateway's own kernel says that nobody listens there. */
  onRefused: () => void;
  ports?: { ssdp: number };
}

/** Searches until it is cancelled, or `signal` fires. Sends six datagrams at most. */
export function searchIgd(options: SearchOptions): CancelTimer {
  const { io, network, signal, onFound, onForeign, onRefused } = options;
  const port = options.ports?.ssdp ?? SSDP_PORT;
  const way = WAYS[parseAddress(network.gateway)?.family ?? 4];
  const sockets: DatagramSocket[] = [];
  const timers: CancelTimer[] = [];
  const seen = new Set<string>();
  let over = false;
  let asked = false;

  const receive = (message: Uint8Array, from: Sender) => {
    const decoded = decodeSsdp(message);
    if (over || decoded?.kind !== "answer" || decoded.facts.location === undefined) return;
    const location = ownLocation(decoded.facts.location, from.address);
    if (location === undefined || !isAtHome(from.address, network)) return onForeign();
    if (seen.has(location) || seen.size >= MAX_DEVICES) return;
    seen.add(location);
    onFound({
      location,
      address: from.address,
      bootId: decoded.facts.bootId,
      isGateway: from.address === network.gateway,
    });
  };
  const keep = (socket: DatagramSocket) => {
    if (over) socket.close();
    else sockets.push(socket);
  };

  const askGateway = async () => {
    const to = { address: network.gateway, port };
    const onError = (kind: "refused" | "failed") => {
      if (over) return;
      if (kind === "refused") onRefused();
      void askAll();
    };
    const opened = await io.datagrams.connect(to, network.address, { onMessage: receive, onError }, signal);
    if (!opened.ok) return;
    keep(opened.value);
    for (const target of way.toGateway) opened.value.send(encodeSearch(target, hostHeader(to.address, port)));
  };
  const askAll = async () => {
    if (asked || over || network.lanPrefix === null) return;
    asked = true;
    const opened = await io.datagrams.open(network.address, { onMessage: receive, onError: () => {} }, signal);
    if (!opened.ok) return;
    keep(opened.value);
    const send = () => {
      for (const target of way.toAll) {
        const message = encodeSearch(target, hostHeader(way.group, SSDP_PORT), MULTICAST_WAIT_SECONDS);
        opened.value.send(message, { address: way.group, port });
      }
    };
    send();
    if (!over) timers.push(io.clock.after(MULTICAST_AGAIN_MS, send));
  };

  void askGateway();
  timers.push(io.clock.after(MULTICAST_AFTER_MS, () => void askAll()));
  const stop = () => {
    over = true;
    for (const cancel of timers.splice(0)) cancel();
    for (const socket of sockets.splice(0)) socket.close();
    signal.removeEventListener("abort", stop);
  };
  signal.addEventListener("abort", stop);
  return stop;
}

/** The URL where its host is the address that sent it, so that nobody can have us send requests elsewhere. */
export function ownLocation(text: string, address: string): string | undefined {
  if (text.length > 512 || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isOwn = url.protocol === "http:" && isSame(hostOf(url), address) && url.username === "" && url.password === "";
  return isOwn ? url.href : undefined;
}

/** A URL's host as an address is written: without the brackets of IPv6. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, "");
}

function isSame(one: string, other: string): boolean {
  const [first, second] = [parseAddress(one), parseAddress(other)];
  return first !== undefined && first.family === second?.family && first.value === second.value;
}

function hostHeader(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Whether an address is the gateway, or in the network that it serves. */
export function isAtHome(address: string, { gateway, lanPrefix }: HomeNetwork): boolean {
  if (address === gateway) return true;
  const parsed = parseAddress(address);
  const prefix = lanPrefix === null ? undefined : parsePrefix(lanPrefix);
  return parsed !== undefined && prefix !== undefined && containsAddress(prefix, parsed);
}
