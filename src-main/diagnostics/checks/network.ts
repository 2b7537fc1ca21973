/** Whether this machine has an internet connection to share. */
import { Resolver } from "node:dns/promises";
import { systemClock } from "../../../src-shared/clock.ts";
import type { Family } from "../../../src-shared/net/address.ts";
import { formatEndpoint } from "../../../src-shared/net/endpoint.ts";
import { egressTargetsOf } from "../../routing/egress-targets.ts";
import { chooseGuestPrefixes } from "../../routing/guest-prefix.ts";
import { readUplinks } from "../../routing/network-route-manager.ts";
import { reachTarget } from "../../routing/reach-target.ts";
import { INTERFACE_NAME } from "../../wireguard/wireguard-manager.ts";
import { type Check, failed, pass, skipped, type Verdict, warn, whileSharing, withMachine } from "../check.ts";

/** Any answer proves that the resolver works, "there is no such name" included. */
const PROBE_NAME = "example.com";
const RESOLVER_TIMEOUT_MS = 1_000;

/** The other side of the world answers in a third of a second, a satellite in one. */
const TARGET_WITHIN_MS = 2_000;

/** DNS errors that are answers. */
const ANSWERS: ReadonlySet<string> = new Set(["ENOTFOUND", "ENODATA"]);

function uplink(family: Family): Check {
  return {
    id: `network.uplink${family}`,
    group: "network",
    title: `There is an IPv${family} way to the internet`,
    run: (context) =>
      withMachine(context, ({ observation }) => {
        const uplinks = readUplinks(observation, INTERFACE_NAME);
        const found = family === 4 ? uplinks.ipv4 : uplinks.ipv6;
        if (found !== null) return pass(`${found.interfaceName} through ${found.gateway ?? "the link itself"}.`);
        if (family === 6) return skipped("This network has no IPv6; guests get IPv4 only.");
        return failed("There is no default route.", "Connect this computer to the internet.");
      }),
  };
}

const resolver: Check = {
  id: "network.dns",
  group: "network",
  title: "Names are resolved",
  run: (_, signal) => askResolver(new Resolver({ timeout: RESOLVER_TIMEOUT_MS, tries: 2 }), signal),
};

const guestDns: Check = {
  id: "network.guest-dns",
  group: "network",
  title: "Guests' DNS questions are answered",
  run: (context, signal) =>
    whileSharing(context, ({ plan, dnsPort }) => {
      const resolver = new Resolver({ timeout: RESOLVER_TIMEOUT_MS, tries: 2 });
      resolver.setServers(plan.tunnelAddresses.map((host) => formatEndpoint({ host, port: dnsPort })));
      return askResolver(resolver, signal);
    }),
};

async function askResolver(resolver: Resolver, signal: AbortSignal): Promise<Verdict> {
  signal.addEventListener("abort", () => resolver.cancel(), { once: true });
  const servers = resolver.getServers().join(", ");
  try {
    await resolver.resolve4(PROBE_NAME);
    return pass(`Answered by ${servers}.`);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    if (ANSWERS.has(code)) return pass(`Answered by ${servers}.`);
    return failed(`No answer from ${servers === "" ? "any resolver" : servers} (${code}).`, "Check /etc/resolv.conf.");
  }
}

function egress(family: Family): Check {
  return {
    id: `network.egress${family}`,
    group: "network",
    title: `The internet answers over IPv${family}`,
    async run(context, signal) {
      const targets = egressTargetsOf(context.settings.egressTargets, family);
      if (targets.length === 0) return skipped("No address to try is set (egressTargets).");
      const hasUplink = context.machine.ok
        ? readUplinks(context.machine.value.observation, INTERFACE_NAME)[family === 4 ? "ipv4" : "ipv6"] !== null
        : undefined;
      if (family === 6 && hasUplink === false) return skipped("This network has no IPv6.");
      const reached = await Promise.all(
        targets.map((target) => reachTarget(target, { withinMs: TARGET_WITHIN_MS, clock: systemClock, signal })),
      );
      const names = targets.map(formatEndpoint).join(", ");
      const answered = targets.filter((_, index) => reached[index]).map(formatEndpoint);
      if (answered.length > 0) return pass(`Reached ${answered.join(", ")}.`);
      if (family === 6) return warn(`Nothing answers (${names}).`, "IPv6 does not work here; guests use IPv4.");
      return failed(`Nothing answers (${names}).`, "Check the router and the provider's connection.");
    },
  };
}

const guestPrefix: Check = {
  id: "network.guest-prefix",
  group: "network",
  title: "The guest network collides with no other",
  run: (context) =>
    withMachine(context, ({ observation }) => {
      const chosen = chooseGuestPrefixes({
        settings: context.settings,
        observation,
        ownInterface: INTERFACE_NAME,
        stored: {},
        random: (count) => new Uint8Array(count),
      });
      if (!chosen.ok) return failed(chosen.error.message, chosen.error.hint ?? "Choose another guest network.");
      return pass(`Guests get ${context.sharing?.plan.spec.guests.ipv4 ?? chosen.value.ipv4}.`);
    }),
};

export const networkChecks: readonly Check[] = [
  uplink(4),
  uplink(6),
  resolver,
  egress(4),
  egress(6),
  guestPrefix,
  guestDns,
];
