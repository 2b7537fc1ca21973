/** Whether guests' packets are translated, forwarded and find their way: NAT, routing, firewall. */
import { exitOf } from "../../../src-shared/model/node-state.ts";
import type { ObservedFirewall } from "../../../src-shared/network-observation.ts";
import { type Check, failed, pass, skipped, type Verdict, warn, whileSharing, withMachine } from "../check.ts";

const REAPPLY = "Switch sharing off and on again: higgsnode off && higgsnode on";

const natSupport: Check = {
  id: "nat.support",
  group: "nat",
  title: "The kernel can translate addresses",
  run: (context) =>
    withMachine(context, ({ capabilities }) =>
      capabilities.nat.ipv4
        ? pass(capabilities.nat.ipv6 ? "For IPv4 and IPv6." : "For IPv4.")
        : failed("The kernel refuses IPv4 NAT rules.", "Load it: sudo modprobe nf_nat iptable_nat"),
    ),
};

/** Differences name their table first, as in `nat HIGGS-POSTROUTING: rule "…" is missing`. */
function isAboutNat(difference: string): boolean {
  return /^nat\b/.test(difference);
}

function judge(families: readonly [string, ObservedFirewall][], relevant: (difference: string) => boolean): Verdict {
  const found: string[] = [];
  for (const [family, seen] of families) {
    if (seen.state === "unavailable") return failed(`The ${family} rules cannot be read: ${seen.reason}.`, REAPPLY);
    if (seen.state === "absent") return failed(`There are no ${family} rules.`, REAPPLY);
    if (seen.state !== "differs") continue;
    for (const difference of seen.differences.filter(relevant)) found.push(`${family} ${difference}`);
  }
  if (found.length === 0) return pass("As they should be.");
  return failed(found.slice(0, 3).join("; "), REAPPLY);
}

function rules(id: string, group: "nat" | "firewall", title: string, relevant: (difference: string) => boolean): Check {
  return {
    id,
    group,
    title,
    run: (context) =>
      whileSharing(context, ({ plan, ipv6Failed }, { observation: { firewall } }) => {
        // Guests without IPv6 addresses need no IPv6 rules.
        const guestsHaveIpv6 = plan.spec.guests.ipv6 !== null && !ipv6Failed;
        const ipv6: [string, ObservedFirewall][] = guestsHaveIpv6 ? [["IPv6", firewall.ipv6]] : [];
        return judge([["IPv4", firewall.ipv4], ...ipv6], relevant);
      }),
  };
}

const forwarding: Check = {
  id: "routing.forwarding",
  group: "routing",
  title: "Packets are forwarded",
  run: (context) =>
    whileSharing(context, ({ plan, ipv6Failed }, { observation }) => {
      const off = Object.entries(observation.forwarding.ipv4)
        .filter(([, on]) => !on)
        .map(([name]) => name);
      if (off.length > 0) return failed(`IPv4 forwarding is off on ${off.join(", ")}.`, REAPPLY);
      if (plan.spec.exit.ipv6 !== "off" && !ipv6Failed && observation.forwarding.ipv6 === false) {
        return failed("IPv6 forwarding is off.", REAPPLY);
      }
      const own = plan.spec.wireguard.interfaceName;
      const on = Object.keys(observation.forwarding.ipv4);
      if (!on.includes(own)) return failed(`IPv4 forwarding is not set up on ${own}.`, REAPPLY);
      return pass(`On ${on.join(" and ")}.`);
    }),
};

const guestRoute: Check = {
  id: "routing.guests",
  group: "routing",
  title: "Answers find their way to guests",
  run: (context) =>
    whileSharing(context, ({ plan }, { observation }) => {
      const { interfaceName } = plan.spec.wireguard;
      const route = observation.routes.find(({ destination }) => destination === plan.spec.guests.ipv4);
      if (route?.interfaceName === interfaceName) return pass(`${plan.spec.guests.ipv4} through ${interfaceName}.`);
      return failed(
        `${plan.spec.guests.ipv4} leads ${route === undefined ? "nowhere" : `to ${route.interfaceName}`}.`,
        REAPPLY,
      );
    }),
};

const owners: Check = {
  id: "firewall.owners",
  group: "firewall",
  title: "Other firewall programs",
  run: (context) =>
    withMachine(context, ({ inspection }) => {
      const [unreadable] = inspection.unreadable;
      if (unreadable !== undefined) return warn(unreadable.message, unreadable.hint ?? "Run it again as root.");
      if (inspection.owners.length === 0) return pass("None.");
      return pass(`${inspection.owners.map(({ name }) => name).join(", ")}: our rules stand before theirs.`);
    }),
};

const obstacles: Check = {
  id: "firewall.obstacles",
  group: "firewall",
  title: "No rule of others cuts guests off",
  run: (context) =>
    withMachine(context, ({ inspection }) => {
      const [first] = inspection.obstacles;
      if (first === undefined) return pass("None found.");
      const detail = inspection.obstacles.map(({ rule, effect }) => `${rule} (${effect})`).join("; ");
      const fix = "Allow forwarding from and to higgs0 there, or remove the rule if you do not need it.";
      return context.sharing === null ? warn(detail, fix) : failed(detail, fix);
    }),
};

const ipv6: Check = {
  id: "firewall.ipv6",
  group: "firewall",
  title: "IPv6 of guests is under control",
  run: (context) =>
    whileSharing(context, ({ plan, ipv6Failed, state }) => {
      const seen = exitOf(state)?.ipv6;
      if (seen?.state === "failed") return warn(seen.error.message, "Guests get IPv4 only.");
      if (ipv6Failed) return warn("IPv6 could not be set up.", "Guests get IPv4 only.");
      if (plan.ipv6Off !== undefined) return skipped(plan.ipv6Off.message);
      return pass("Guests get IPv6 with the same protection as IPv4.");
    }),
};

export const natChecks: readonly Check[] = [
  natSupport,
  rules("nat.rules", "nat", "Guests' addresses are translated", isAboutNat),
];
export const routingChecks: readonly Check[] = [forwarding, guestRoute];
export const firewallChecks: readonly Check[] = [
  rules("firewall.rules", "firewall", "Guests are kept out of the home network", (text) => !isAboutNat(text)),
  ipv6,
  owners,
  obstacles,
];
