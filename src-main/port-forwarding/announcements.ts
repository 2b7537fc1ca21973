/** Hears when the router says to everybody that it has restarted, or has another address. */
import type { CancelTimer } from "../../src-shared/clock.ts";
import type { DatagramHandlers, GroupOptions } from "./datagrams.ts";
import type { HomeNetwork } from "./mapping.ts";
import type { MappingIo } from "./mapping-io.ts";
import { decodeNatPmpAnswer, MAPPING_SERVER_PORT } from "./nat-pmp-message.ts";
import { decodePcpAnswer } from "./pcp-message.ts";
import { decodeSsdp, SSDP_GROUP, SSDP_PORT } from "./ssdp-message.ts";

/** RFC 6886, section 3.2.1, and RFC 6887, section 14.1.2: announcements go to all hosts, to this port. */
const ALL_HOSTS = "224.0.0.1";
const CLIENT_PORT = 5350;

/** Devices whose restarts are remembered; a home has a handful that speak UPnP. */
const MAX_DEVICES = 64;

export interface AnnouncementOptions {
  io: MappingIo;
  network: HomeNetwork;
  signal: AbortSignal;
  /** Whose UPnP announcements matter. */
  isRouter: (address: string) => boolean;
  /** The router may have lost its mappings. Comes more than once for one restart. */
  onRestart: () => void;
  /** A group that cannot be joined costs swiftness only: the mapping is checked every now and then as well. */
  onDeaf: (group: string, reason: string) => void;
  serverPort?: number;
}

/** Listens until it is cancelled, or `signal` fires. */
export function listenForAnnouncements(options: AnnouncementOptions): CancelTimer {
  const { io, network, signal, isRouter, onRestart, onDeaf, serverPort = MAPPING_SERVER_PORT } = options;
  const controller = new AbortController();
  const within = AbortSignal.any([signal, controller.signal]);
  const restarts = new DeviceRestarts();
  void join({ group: ALL_HOSTS, port: CLIENT_PORT, localAddress: network.address }, (message, from) => {
    if (from.address !== network.gateway || from.port !== serverPort) return;
    const isPcp = decodePcpAnswer(message)?.opcode === "announce";
    if (isPcp || decodeNatPmpAnswer(message)?.kind === "address") onRestart();
  });
  void join({ group: SSDP_GROUP, port: SSDP_PORT, localAddress: network.address }, (message, from) => {
    if (isRouter(from.address) && restarts.heard(message, from.address)) onRestart();
  });

  async function join(group: GroupOptions, onMessage: DatagramHandlers["onMessage"]): Promise<void> {
    const joined = await io.datagrams.join(group, { onMessage, onError: () => {} }, within);
    if (!joined.ok && !within.aborted) onDeaf(group.group, joined.error.message);
  }
  return () => controller.abort();
}

/** Devices announce themselves all the time; a restart is told by the boot id, or by a farewell before. */
export class DeviceRestarts {
  readonly #devices = new Map<string, { bootId: string | undefined; gone: boolean }>();

  /** Whether this announcement says that the device has restarted. */
  heard(message: Uint8Array, address: string): boolean {
    const decoded = decodeSsdp(message);
    if (decoded === undefined || decoded.kind === "answer") return false;
    const before = this.#devices.get(address);
    if (before === undefined && this.#devices.size >= MAX_DEVICES) return false;
    const { bootId } = decoded.facts;
    if (decoded.kind === "byebye") {
      this.#devices.set(address, { bootId: before?.bootId ?? bootId, gone: true });
      return false;
    }
    this.#devices.set(address, { bootId: bootId ?? before?.bootId, gone: false });
    if (before === undefined) return false;
    return before.gone || (bootId !== undefined && before.bootId !== undefined && bootId !== before.bootId);
  }
}
