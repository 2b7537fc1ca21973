/** `higgsnode status` */
import type { Command } from "commander";
import { type ExitState, exitOf, type NodeState } from "../../src-shared/model/node-state.ts";
import type { PortMappingState } from "../../src-shared/model/port-mapping.ts";
import type { RelayLinkState } from "../../src-shared/model/relay-link.ts";
import { formatEndpoint } from "../../src-shared/net/endpoint.ts";
import { formatAgo, formatBytes } from "../../src-shared/text/format.ts";
import { explain, headlineOf } from "../../src-shared/text/headline.ts";
import { createTranslator } from "../../src-shared/text/translate.ts";
import { healthFacts } from "./health.ts";
import { portsLine } from "./ports.ts";
import { reachabilityFacts } from "./reachability-text.ts";
import type { Session } from "./session.ts";
import { facts } from "./table.ts";

export function addStatus(program: Command, session: Session): void {
  program
    .command("status")
    .description("say how the node is doing")
    .action(() =>
      session.ask(
        (node) => node.call("node.state", {}),
        ({ value }) => session.print(value, () => statusText(value, session.host.clock.nowMs(), session.host.columns)),
      ),
    );
}

/** The headline, what is wrong, and the facts that are known in this phase. */
export function statusText(state: NodeState, nowMs: number, columns?: number): string {
  const headline = headlineOf(state, createTranslator("en"));
  const lines = [/[.!?]$/.test(headline.sentence) ? headline.sentence : `${headline.sentence}.`];
  if (headline.detail !== undefined) lines.push(headline.detail);
  const exit = exitOf(state.node);
  const since: [string, string] = ["Since", formatAgo(state.node.since, nowMs)];
  lines.push(
    "",
    facts(
      [
        since,
        ...(exit ? exitFacts(exit) : []),
        ...portFacts(state.portMapping),
        ...reachabilityFacts(state, nowMs),
        ...relayFacts(state.relay),
        ...healthFacts(state.health, nowMs),
      ],
      "  ",
      columns,
    ),
  );
  return lines.join("\n");
}

function exitFacts(exit: ExitState): [string, string][] {
  const { guestPrefixes, traffic, clients, reach } = exit;
  const guests = [guestPrefixes.ipv4, guestPrefixes.ipv6].filter((prefix) => prefix !== null);
  const uplinks = [
    exit.uplink.ipv4 === null ? "no IPv4" : `IPv4 through ${exit.uplink.ipv4}`,
    exit.uplink.ipv6 === null ? "no IPv6" : `IPv6 through ${exit.uplink.ipv6}`,
  ];
  return [
    [
      "Endpoint",
      reach.endpoint === null ? "not known" : `${formatEndpoint(reach.endpoint)} (${SOURCES[reach.source]})`,
    ],
    ["Clients", `${clients.connected} of ${clients.total} connected`],
    ["Traffic", `${formatBytes(traffic.rxBytes)} from clients, ${formatBytes(traffic.txBytes)} to clients`],
    ["Internet", uplinks.join(", ")],
    ["IPv6", ipv6Text(exit)],
    ["Guest network", guests.join(", ")],
    ["WireGuard", `${exit.interfaceName}, port ${exit.listenPort}/udp, ${IMPLEMENTATIONS[exit.implementation]}`],
    ["Public key", exit.publicKey],
  ];
}

function portFacts(portMapping: PortMappingState): [string, string][] {
  const line = portsLine(portMapping);
  return line === undefined ? [] : [["Port mapping", line]];
}

function relayFacts(relay: RelayLinkState): [string, string][] {
  switch (relay.state) {
    case "off":
      return [];
    case "connecting":
      return [["Relay", "connecting"]];
    case "waiting":
      return [["Relay", `not connected. ${explain(relay.error)}`]];
    case "connected": {
      const rtt = relay.rttMs === null ? "" : `, ${Math.round(relay.rttMs)} ms away`;
      return [
        ["Relay", `connected to ${relay.url}${rtt}`],
        ["At the relay", `${formatEndpoint(relay.publicEndpoint)}, node ${relay.nodeId}`],
        [
          "Relayed",
          `${formatBytes(relay.rxBytes)} from clients, ${formatBytes(relay.txBytes)} to clients, ${relay.dropped} packets dropped`,
        ],
      ];
    }
  }
}

const SOURCES = {
  owner: "as you set it",
  proven: "proven from outside",
  mapping: "forwarded by your router",
  uplink: "an address of this computer",
  none: "unknown",
} as const;
const IMPLEMENTATIONS = { kernel: "in the kernel", userspace: "as a program (wireguard-go)" } as const;

const IPV6_MODES = {
  nat66: "on, translated to one address (NAT66)",
  nptv6: "on, translated to a prefix (NPTv6)",
  routed: "on, with addresses of their own from",
} as const;

function ipv6Check({ check }: Extract<ExitState["ipv6"], { state: "on" }>): string {
  if (check === undefined) return "";
  return check.outcome === "passed" ? ", tried and works" : `. ${explain(check.error)}`;
}

function ipv6Text({ ipv6 }: ExitState): string {
  switch (ipv6.state) {
    case "on":
      return `${IPV6_MODES[ipv6.mode]}${ipv6.prefix === undefined ? "" : ` ${ipv6.prefix}`}${ipv6Check(ipv6)}`;
    case "off":
      return `off. ${explain(ipv6.reason)}`;
    case "failed":
      return `not working. ${explain(ipv6.error)}`;
  }
}
