/** The one sentence that says how the node is doing, for the panel, the tray and the CLI alike. */
import type { Health } from "../model/health.ts";
import type { ExitState, NodeState } from "../model/node-state.ts";
import { exitOf } from "../model/node-state.ts";
import { parseAddress } from "../net/address.ts";
import { isPublicAddress } from "../net/public-address.ts";
import type { HiggsError } from "../result.ts";
import { asSentence } from "./format.ts";
import type { Translate } from "./translate.ts";

/** What the sentence means to the owner; a colour or an icon follows from it, never the sentence from the colour. */
export type Tone = "off" | "busy" | "good" | "attention";

/**
 * How guests come in: `direct` was tried from outside, `unproven` has an address that nobody has tried, `relay` goes
 * through the relay alone, `none` is no way at all.
 */
export type GuestWay = "direct" | "unproven" | "relay" | "none";

export interface Headline {
  readonly tone: Tone;
  readonly sentence: string;
  /** Why, and what to do about it; absent where the sentence says it all. */
  readonly detail?: string;
  /** Absent while nobody can be connected. */
  readonly way?: GuestWay;
}

/** Says a failure in the reader's language. */
export type Explain = (error: HiggsError) => string;

export function headlineOf(state: NodeState, t: Translate, say: Explain = explain): Headline {
  const exit = exitOf(state.node);
  const headline = phaseHeadline(state, t, say);
  return exit === undefined ? headline : { ...headline, way: guestWay(state, exit) };
}

function phaseHeadline(state: NodeState, t: Translate, say: Explain): Headline {
  const { node } = state;
  switch (node.phase) {
    case "stopped":
      return { tone: "off", sentence: t("headline.stopped"), detail: t("headline.stoppedDetail") };
    case "starting":
      return { tone: "busy", sentence: t("headline.starting"), detail: t(`headline.step.${node.step}`) };
    case "running":
      return sharingHeadline(state, node.exit, t, say);
    case "degraded":
      return { tone: "attention", sentence: t("headline.degraded"), detail: node.problems.map(say).join(" ") };
    case "recovering": {
      const attempt = t("headline.attempt", { attempt: node.attempt });
      return { tone: "busy", sentence: t("headline.recovering"), detail: `${say(node.cause)} ${attempt}` };
    }
    case "stopping":
      return { tone: "busy", sentence: t("headline.stopping"), detail: t("headline.stoppingDetail") };
    case "failed":
      return { tone: "attention", sentence: t("headline.failed"), detail: say(node.error) };
  }
}

function sharingHeadline(state: NodeState, exit: ExitState, t: Translate, say: Explain): Headline {
  const cut = cutOff(state.health);
  if (cut !== undefined) return { tone: "attention", sentence: t("headline.cutOff"), detail: say(cut) };
  const way = guestWay(state, exit);
  if (way === "none") {
    const why = whyClosed(state);
    return why === undefined
      ? { tone: "attention", sentence: t("headline.noEndpoint"), detail: t("headline.noEndpointDetail") }
      : { tone: "attention", sentence: t("headline.unreachable"), detail: say(why) };
  }
  const sentence = t(`headline.sharing.${way}`, { count: exit.clients.connected });
  return way === "relay" ? { tone: "good", sentence, detail: t("headline.relayDetail") } : { tone: "good", sentence };
}

/**
 * Why guests who have come in get no further, where something has been wrong for so long that the owner is to be told. Whether they come
 * in at all is told of the way they take.
 */
export function cutOff({ facts }: Health): HiggsError | undefined {
  return facts.find(
    ({ code, state, cutsConnectivity, waiting, silencedBy }) =>
      code !== "reachability" && state === "bad" && cutsConnectivity && !waiting && silencedBy === undefined,
  )?.error;
}

/** What is known of the way guests take to a node that shares. */
export function guestWay(state: NodeState, exit: ExitState): GuestWay {
  if (state.reachability.state === "reachable") return "direct";
  if (state.reachability.state !== "unreachable" && mayBeOpen(state, exit)) return "unproven";
  return state.relay.state === "connected" ? "relay" : "none";
}

/** Whether the address may lead here, though nobody has tried it. The owner is believed. */
function mayBeOpen(state: NodeState, { reach: { endpoint, source } }: ExitState): boolean {
  if (endpoint === null) return false;
  if (source === "owner") return true;
  if (whyClosed(state) !== undefined) return false;
  const address = parseAddress(endpoint.host);
  return address === undefined || isPublicAddress(address);
}

/** What stands in the way of guests who come directly, where it is known. */
export function whyClosed({ reachability, natPath }: NodeState): HiggsError | undefined {
  if (reachability.state === "unreachable") return reachability.reason;
  return natPath.state === "known" ? (natPath.reason ?? undefined) : undefined;
}

/** What failed and what to do, as one or two sentences, in the words it came with. */
export function explain(error: HiggsError): string {
  const what = asSentence(error.message);
  // A hint may end with a command to copy, which a full stop would spoil.
  return error.hint === undefined ? what : `${what} ${error.hint}`;
}
