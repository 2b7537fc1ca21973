/** The ports that guests are refused everywhere, by preset. */
import type { Settings } from "../../src-shared/model/settings.ts";
import type { IsolationSpec } from "../../src-shared/network-spec.ts";

type BlockedPort = IsolationSpec["blockedPorts"][number];

/** Mail from server to server: a home address that sends it ends on block lists within hours. */
const SMTP: readonly BlockedPort[] = tcp(25);

const STRICT: readonly BlockedPort[] = [
  ...SMTP,
  // Mail submission (RFC 8314) and its unofficial sister.
  ...tcp(465, 587, 2525),
  // Telnet, which worms use to spread between cameras and routers.
  ...tcp(23, 2323),
  // Windows file sharing and its remote calls.
  ...tcp(135, 137, 138, 139, 445),
  ...udp(135, 137, 138, 139, 445),
  // Remote desktops: RDP, VNC, X11.
  ...tcp(3389, 5900, 5901, 6000),
  ...udp(3389),
  // Services that multiply what is sent to a forged source: character generator, portmapper, SSDP, memcached.
  ...udp(19, 111, 1900, 11211),
];

export const BLOCKED_PORTS: Readonly<Record<Settings["blockedPorts"], readonly BlockedPort[]>> = {
  none: [],
  standard: SMTP,
  strict: STRICT,
};

function tcp(...ports: number[]): BlockedPort[] {
  return ports.map((port) => ({ protocol: "tcp", port }));
}

function udp(...ports: number[]): BlockedPort[] {
  return ports.map((port) => ({ protocol: "udp", port }));
}
