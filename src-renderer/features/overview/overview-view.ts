/** What the overview says, as a pure function of what is known. */
import { type ExitState, exitOf, type NodeState } from "../../../src-shared/model/node-state.ts";
import { formatEndpoint } from "../../../src-shared/net/endpoint.ts";
import { cutOff, type Explain, type GuestWay, guestWay, headlineOf } from "../../../src-shared/text/headline.ts";
import type { Translate } from "../../../src-shared/text/translator.ts";
import type { Tone } from "../../components/tone.tsx";
import type { Format } from "../../i18n/i18n.tsx";
import type { Shown } from "../../store/predictions.ts";
import type { ConnectionState } from "../../transport/transport.ts";

export interface OverviewInput {
  readonly connection: ConnectionState;
  readonly node: NodeState | undefined;
  /** What the owner asked for with the switch, until the node has answered; undefined where nothing was asked. */
  readonly asked: boolean | undefined;
}

export interface Words {
  readonly t: Translate;
  readonly format: Format;
  readonly explain: Explain;
}

export interface Hero {
  readonly tone: Tone;
  readonly sentence: string;
  readonly detail: string | undefined;
  /** Each problem on a line of its own, where there are several. */
  readonly problems: readonly string[];
  readonly toggle: Shown<boolean> & { readonly enabled: boolean };
  /** Sharing failed: switching on again is the thing to try. */
  readonly retry: boolean;
  /** Where to look at what is done about it. */
  readonly toHealth: boolean;
}

/** Whether the switch stands at on in this phase. */
export function isSwitchedOn(node: NodeState): boolean {
  const { phase } = node.node;
  return phase !== "stopped" && phase !== "stopping" && phase !== "failed";
}

export function heroOf({ connection, node, asked }: OverviewInput, { t, explain }: Words): Hero {
  if (node === undefined) {
    const lost = connection === "lost";
    return {
      tone: lost ? "attention" : "busy",
      sentence: lost ? t("common.connection.lost") : t("common.connection.connecting"),
      detail: undefined,
      problems: [],
      toggle: { value: false, predicted: false, enabled: false },
      retry: false,
      toHealth: false,
    };
  }
  const headline = headlineOf(node, t, explain);
  const { phase } = node.node;
  const on = isSwitchedOn(node);
  const problems = node.node.phase === "degraded" ? node.node.problems.map(explain) : [];
  return {
    tone: phase === "failed" || phase === "degraded" ? "bad" : headline.tone,
    sentence: headline.sentence,
    detail: problems.length > 1 ? undefined : headline.detail,
    problems: problems.length > 1 ? problems : [],
    toggle: {
      value: asked ?? on,
      predicted: asked !== undefined && asked !== on,
      // Turning off works while starting, too: the owner may have changed their mind.
      enabled: connection === "open" && phase !== "stopping" && (asked === undefined || phase === "starting"),
    },
    retry: phase === "failed",
    toHealth:
      phase === "degraded" || phase === "recovering" || (phase === "running" && cutOff(node.health) !== undefined),
  };
}

export interface EndpointView {
  readonly text: string;
  readonly copyable: boolean;
  readonly note: string;
  readonly ipv6: string | undefined;
}

export function endpointOf({ reach }: ExitState, t: Translate): EndpointView {
  return {
    text: reach.endpoint === null ? t("overview.endpoint.none") : formatEndpoint(reach.endpoint),
    copyable: reach.endpoint !== null,
    note: t(`overview.endpoint.source.${reach.endpoint === null ? "none" : reach.source}`),
    ipv6: reach.ipv6 === null || reach.ipv6 === undefined ? undefined : formatEndpoint(reach.ipv6),
  };
}

export interface WayView {
  readonly way: GuestWay;
  readonly tone: Tone;
  readonly label: string;
  readonly detail: string;
  /** Why not directly. */
  readonly why: string | undefined;
}

export function wayOf(node: NodeState, exit: ExitState, { t, explain }: Words): WayView {
  const way = guestWay(node, exit);
  const { reachability } = node;
  const why = reachability.state === "unreachable" ? explain(reachability.reason) : undefined;
  const label = t(`overview.way.${way}`);
  switch (way) {
    case "direct":
      return { way, tone: "good", label, detail: t("overview.way.directDetail"), why: undefined };
    case "unproven":
      return reachability.state === "checking"
        ? { way, tone: "busy", label, detail: t("overview.way.checkingDetail"), why }
        : { way, tone: "unknown", label, detail: t("overview.way.unprovenDetail"), why };
    case "relay":
      return { way, tone: "info", label, detail: t("overview.way.relayDetail"), why };
    case "none":
      return {
        way,
        tone: "attention",
        label,
        detail: t("overview.way.noneDetail"),
        why: why ?? mappingProblem(node, explain),
      };
  }
}

/** Where nobody could try it from outside, the router's answer is the best there is. */
function mappingProblem({ portMapping }: NodeState, explain: Explain): string | undefined {
  return portMapping.state === "unavailable" ? explain(portMapping.reason) : undefined;
}

export interface Detail {
  readonly label: string;
  readonly value: string;
  readonly note?: string;
}

export function detailsOf(node: NodeState, nowMs: number, words: Words): Detail[] {
  const { t, format } = words;
  const exit = exitOf(node.node);
  if (exit === undefined) return [];
  return [
    { label: t("overview.details.since"), value: format.ago(node.node.since, nowMs) },
    { label: t("overview.details.clients"), value: clientsText(exit, words) },
    ipv6Detail(exit, words),
    {
      label: t("overview.details.tunnel"),
      value: t("overview.details.tunnelValue", { name: exit.interfaceName, port: exit.listenPort }),
    },
  ];
}

function clientsText({ clients }: ExitState, { t }: Words): string {
  return clients.total === 0 ? t("overview.details.clientsNone") : t("overview.details.clientsValue", clients);
}

function ipv6Detail({ ipv6 }: ExitState, { t, explain }: Words): Detail {
  const label = t("overview.details.ipv6");
  switch (ipv6.state) {
    case "on":
      return { label, value: t("overview.details.ipv6On") };
    case "off":
      return { label, value: t("overview.details.ipv6Off"), note: explain(ipv6.reason) };
    case "failed":
      return { label, value: t("overview.details.ipv6Failed"), note: explain(ipv6.error) };
  }
}
