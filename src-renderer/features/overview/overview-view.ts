/** What the overview says, as a pure function of what is known. */
import { type ExitState, exitOf, type NodeState } from "../../../src-shared/model/node-state.ts";
import { formatEndpoint } from "../../../src-shared/net/endpoint.ts";
import type { Texts } from "../../../src-shared/text/en.ts";
import { formatAgo, formatBytes } from "../../../src-shared/text/format.ts";
import { explain, type Headline, headlineOf } from "../../../src-shared/text/headline.ts";
import type { ConnectionState } from "../../transport/transport.ts";

export interface OverviewInput {
  readonly connection: ConnectionState;
  readonly node: NodeState | undefined;
  readonly switching: boolean;
  readonly nowMs: number;
}

export interface Fact {
  readonly label: string;
  readonly value: string;
  /** More words, such as why IPv6 is off. */
  readonly note?: string;
}

export interface OverviewView {
  readonly headline: Headline;
  readonly toggle: { readonly on: boolean; readonly enabled: boolean };
  readonly endpoint: { readonly text: string; readonly copyable: boolean; readonly note: string } | undefined;
  readonly facts: readonly Fact[];
  /** Shown above everything; what is below may be out of date then. */
  readonly lost: boolean;
}

export function overviewOf({ connection, node, switching, nowMs }: OverviewInput, texts: Texts): OverviewView {
  const lost = connection === "lost";
  if (node === undefined) {
    const sentence = lost ? texts.connection.lost : texts.connection.connecting;
    return {
      headline: { tone: lost ? "attention" : "busy", sentence },
      toggle: { on: false, enabled: false },
      endpoint: undefined,
      facts: [],
      lost,
    };
  }
  const { phase } = node.node;
  const exit = exitOf(node.node);
  return {
    headline: headlineOf(node.node, texts),
    toggle: {
      on: phase !== "stopped" && phase !== "stopping" && phase !== "failed",
      // Turning off works while starting, too: the owner may have changed their mind.
      enabled: connection === "open" && phase !== "stopping" && (!switching || phase === "starting"),
    },
    endpoint: exit === undefined ? undefined : endpointOf(exit, texts),
    facts: exit === undefined ? [] : factsOf(exit, node.node.since, nowMs, texts),
    lost,
  };
}

function endpointOf({ reach }: ExitState, texts: Texts): OverviewView["endpoint"] {
  if (reach.endpoint === null) {
    return { text: texts.endpoint.none, copyable: false, note: texts.endpoint.source.none };
  }
  return { text: formatEndpoint(reach.endpoint), copyable: true, note: texts.endpoint.source[reach.source] };
}

function factsOf(exit: ExitState, since: string, nowMs: number, texts: Texts): Fact[] {
  return [
    { label: texts.facts.received, value: formatBytes(exit.traffic.rxBytes) },
    { label: texts.facts.sent, value: formatBytes(exit.traffic.txBytes) },
    ipv6Fact(exit, texts),
    { label: texts.facts.tunnel, value: texts.facts.tunnelValue(exit.interfaceName, exit.listenPort) },
    { label: texts.facts.since, value: formatAgo(since, nowMs) },
  ];
}

function ipv6Fact({ ipv6 }: ExitState, texts: Texts): Fact {
  switch (ipv6.state) {
    case "on":
      return { label: texts.facts.ipv6, value: texts.facts.ipv6On };
    case "off":
      return { label: texts.facts.ipv6, value: texts.facts.ipv6Off, note: explain(ipv6.reason) };
    case "failed":
      return { label: texts.facts.ipv6, value: texts.facts.ipv6Failed, note: explain(ipv6.error) };
  }
}
