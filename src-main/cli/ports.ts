/** `higgsnode ports` and `higgsnode ports refresh` */
import type { Command } from "commander";
import type { NodeState } from "../../src-shared/model/node-state.ts";
import { mappedEndpoint, type PortMappingState } from "../../src-shared/model/port-mapping.ts";
import { formatEndpoint } from "../../src-shared/net/endpoint.ts";
import { formatDuration } from "../../src-shared/text/format.ts";
import { explain } from "../../src-shared/text/headline.ts";
import type { Session } from "./session.ts";
import { facts } from "./table.ts";

export function addPorts(program: Command, session: Session): void {
  const print = ({ value }: { value: NodeState }) =>
    session.print(value.portMapping, () => portsText(value.portMapping, session.host.clock.nowMs()));
  const ports = program
    .command("ports")
    .description("say whether your router forwards the port that guests need")
    .action(() => session.ask((node) => node.call("node.state", {}), print));
  ports
    .command("refresh")
    .description("ask the router again, as after changing its settings")
    .action(() => session.ask((node) => node.call("ports.refresh", {}), print));
}

/** Stands for the address of a router that does not tell it. */
const UNTOLD = "0.0.0.0";

const PROTOCOLS = { pcp: "PCP", "nat-pmp": "NAT-PMP", upnp: "UPnP" } as const;

/** What is known, in words. */
export function portsText(state: PortMappingState, nowMs: number): string {
  const until = (time: string) => `in ${formatDuration(Math.max(0, Date.parse(time) - nowMs))}`;
  switch (state.state) {
    case "off":
      return "No port is mapped: sharing is off, port mapping is switched off, or this computer has a public address.";
    case "probing":
      return `Asking the router ${state.gateway} to forward the port.`;
    case "mapped":
      return facts([
        ["Endpoint", mappingText(state)],
        ["Forwards to", `port ${state.internalPort}/udp of this computer`],
        ["Router", `${state.gateway}, ${PROTOCOLS[state.protocol]}`],
        ["Lease", state.leaseEndsAt === null ? "without an end" : `ends ${until(state.leaseEndsAt)}`],
        ["Renewal", until(state.renewAt)],
        ["Also answers", state.fallbacks.map((protocol) => PROTOCOLS[protocol]).join(", ") || "nothing else"],
      ]);
    case "unavailable":
      return [
        explain(state.reason),
        ...(state.nextProbeAt === null ? [] : [`Asked again ${until(state.nextProbeAt)}.`]),
      ].join("\n");
  }
}

/** The line in `status`; undefined where there is nothing to say. */
export function portsLine(state: PortMappingState): string | undefined {
  switch (state.state) {
    case "off":
      return undefined;
    case "probing":
      return "asking the router";
    case "mapped":
      return `${mappingText(state)} by ${PROTOCOLS[state.protocol]}`;
    case "unavailable":
      return `none. ${explain(state.reason)}`;
  }
}

function mappingText(state: Extract<PortMappingState, { state: "mapped" }>): string {
  const endpoint = formatEndpoint(state.external);
  if (state.external.host === UNTOLD) return `port ${state.external.port}, the router does not tell its address`;
  return mappedEndpoint(state) === undefined
    ? `${endpoint}, a private address: another router stands in front`
    : endpoint;
}
