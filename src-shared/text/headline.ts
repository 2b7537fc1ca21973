/** The one sentence that says how the node is doing, for the panel, the tray and the CLI alike. */
import type { PhaseState } from "../model/node-state.ts";
import type { HiggsError } from "../result.ts";
import type { Texts } from "./en.ts";
import { asSentence } from "./format.ts";

/** What the sentence means to the owner; a colour or an icon follows from it, never the sentence from the colour. */
export type Tone = "off" | "busy" | "good" | "attention";

export interface Headline {
  readonly tone: Tone;
  readonly sentence: string;
  /** Why, and what to do about it; absent where the sentence says it all. */
  readonly detail?: string;
}

export function headlineOf(node: PhaseState, texts: Texts): Headline {
  const t = texts.headline;
  switch (node.phase) {
    case "stopped":
      return { tone: "off", sentence: t.stopped, detail: t.stoppedDetail };
    case "starting":
      return { tone: "busy", sentence: t.starting, detail: t.step[node.step] };
    case "running":
      if (node.exit.reach.endpoint === null) {
        return { tone: "attention", sentence: t.unreachable, detail: t.unreachableDetail };
      }
      return { tone: "good", sentence: t.sharing(node.exit.clients.connected) };
    case "degraded":
      return { tone: "attention", sentence: t.degraded, detail: node.problems.map(explain).join(" ") };
    case "recovering":
      return {
        tone: "busy",
        sentence: t.recovering,
        detail: `${asSentence(node.cause.message)} ${t.attempt(node.attempt)}`,
      };
    case "stopping":
      return { tone: "busy", sentence: t.stopping, detail: t.stoppingDetail };
    case "failed":
      return { tone: "attention", sentence: t.failed, detail: explain(node.error) };
  }
}

/** What failed and what to do, as one or two sentences. */
export function explain(error: HiggsError): string {
  const what = asSentence(error.message);
  // A hint may end with a command to copy, which a full stop would spoil.
  return error.hint === undefined ? what : `${what} ${error.hint}`;
}
