/** What can be known to fail before anything of the machine is touched. */
import { createSocket } from "node:dgram";
import { overlaps, type Prefix, parsePrefix } from "../../src-shared/net/address.ts";
import type { NetworkSpec } from "../../src-shared/network-spec.ts";
import type { HiggsError } from "../../src-shared/result.ts";
import { guestPrefixes } from "./effective-spec.ts";
import { readLink, readRoutes } from "./ip-json.ts";
import type { Run } from "./run.ts";
import { observeWireguard, portInUse } from "./wireguard.ts";

export interface PreflightOptions {
  run: Run;
  /** Whether a UDP port can be bound on this machine. */
  isPortFree: (port: number) => Promise<boolean>;
}

/** Undefined where nothing speaks against the spec. Errors: `interface-name-taken`, `port-in-use`, `prefix-conflict`. */
export async function preflight(
  spec: NetworkSpec,
  { run, isPortFree }: PreflightOptions,
): Promise<HiggsError | undefined> {
  const { interfaceName, listenPort } = spec.wireguard;
  const link = await readLink(run, interfaceName);
  if (link !== undefined && link.kind !== "wireguard" && link.kind !== "tun") {
    return {
      code: "interface-name-taken",
      message: `There is already an interface ${interfaceName} that is not ours.`,
      hint: `Rename it, or remove it with: ip link del ${interfaceName}`,
    };
  }
  const present = await observeWireguard(run, interfaceName);
  const holdsPort = present.state === "present" && present.listenPort === listenPort;
  if (!holdsPort && !(await isPortFree(listenPort))) return portInUse(listenPort).error;
  return prefixConflict(spec, run);
}

async function prefixConflict(spec: NetworkSpec, run: Run): Promise<HiggsError | undefined> {
  const guests = guestPrefixes(spec);
  for (const route of await readRoutes(run)) {
    if (route.interfaceName === spec.wireguard.interfaceName || route.destination === "default") continue;
    const taken = parsePrefix(route.destination);
    if (taken === undefined || isCatchAll(taken) || !guests.some((guest: Prefix) => overlaps(guest, taken))) continue;
    return {
      code: "prefix-conflict",
      message: `The guest network overlaps ${route.destination}, which this machine reaches through ${route.interfaceName ?? "another interface"}.`,
      hint: "Choose another guest network: higgsnode settings set guestIpv4=10.77.0.0/16",
    };
  }
  return undefined;
}

/** Halves of the default route, and the wide IPv6 routes by which VPNs cover what they do not know, are nobody's network. */
function isCatchAll({ family, length }: Prefix): boolean {
  return length <= (family === 4 ? 1 : 16);
}

/**
 * Binds the port for a moment, exclusively, on the IPv4 wildcard address. Who holds it on IPv6 alone is found when the
 * interface takes it.
 */
export function isUdpPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket({ type: "udp4", reuseAddr: false });
    socket.once("error", () => {
      socket.close();
      resolve(false);
    });
    socket.bind({ port, exclusive: true }, () => socket.close(() => resolve(true)));
  });
}
