/** A guest's packet, and a handshake, through everybody's rules on this machine, in the order in which they are asked. */
import { type Family, formatAddress, parseAddress, splitPrefix } from "../../../src-shared/net/address.ts";
import { addressesOf, FIRST_CLIENT_HOST_NUMBER } from "../../clients/address-allocator.ts";
import { egressTargetsOf } from "../../routing/egress-targets.ts";
import { type Check, failed, pass, skipped, type Verdict, warn, whileSharing } from "../check.ts";
import { type TracedPath, tracePacket } from "../trace/trace-packet.ts";

/** Of a guest somewhere on the internet (RFC 5737): rules that name addresses of the home do not apply. */
const SOMEBODY_OUTSIDE = "192.0.2.77";

function guestPath(family: Family): Check {
  return {
    id: `firewall.guests${family}`,
    group: "firewall",
    title: `Guests' packets pass the firewall over IPv${family}`,
    run: (context) =>
      whileSharing(context, async ({ plan, ipv6Failed }, { firewall, observation }): Promise<Verdict> => {
        if (family === 6 && (plan.spec.exit.ipv6 === "off" || ipv6Failed)) return skipped("Guests have no IPv6.");
        if (firewall === undefined || context.probe === null) return skipped("This helper cannot read the rules.");
        const [target] = egressTargetsOf(context.settings.egressTargets, family);
        if (target === undefined) return skipped("No address to try is set (egressTargets).");
        const source = addressesOf(FIRST_CLIENT_HOST_NUMBER, plan.spec.guests)?.find((text) => isOf(text, family));
        if (source === undefined) return skipped("Guests have no address.");
        const inInterface = plan.spec.wireguard.interfaceName;
        const route = await context.probe.lookUpRoute({ to: target.host, from: source, interfaceName: inInterface });
        if (!route.ok) return skipped(route.error.message);
        const local = observation.links.flatMap(({ addresses }) => addresses.map(withoutLength));
        const path = tracePacket({
          source,
          to: target.host,
          port: target.port,
          protocol: "tcp",
          inInterface,
          firewall,
          route: route.value,
          local,
        });
        return verdictOf(path);
      }),
  };
}

const handshakes: Check = {
  id: "firewall.handshakes",
  group: "firewall",
  title: "Guests' handshakes pass the firewall",
  run: (context) =>
    whileSharing(context, ({ plan }, { firewall, observation }) => {
      if (firewall === undefined) return skipped("This helper cannot read the rules.");
      const uplink = plan.uplink.ipv4;
      const own = observation.links.find(({ name }) => name === uplink)?.addresses.map(withoutLength);
      const to = own?.find((text) => isOf(text, 4));
      if (uplink === null || to === undefined) return skipped("There is no IPv4 uplink.");
      const path = tracePacket({
        source: SOMEBODY_OUTSIDE,
        to,
        port: plan.spec.wireguard.listenPort,
        protocol: "udp",
        inInterface: uplink,
        firewall,
        route: { state: "found", kind: "local", interfaceName: "lo", gateway: null },
        local: [to],
      });
      return verdictOf(path);
    }),
};

function verdictOf({ verdict, reason, fix, steps }: TracedPath): Verdict {
  switch (verdict) {
    case "passes":
      return pass(`${reason} ${steps.length} rules apply.`);
    case "blocked":
      return failed(reason, fix ?? "Trace it: higgsnode diagnose trace CLIENT ADDRESS:PORT");
    case "unclear":
      return warn(reason, fix ?? "Try it with a guest: higgsnode self-test");
  }
}

function isOf(text: string, family: Family): boolean {
  return parseAddress(text)?.family === family;
}

function withoutLength(text: string): string {
  const parts = splitPrefix(text);
  return parts === undefined ? text : formatAddress(parts.address);
}

export const guestPathChecks: readonly Check[] = [guestPath(4), guestPath(6), handshakes];
