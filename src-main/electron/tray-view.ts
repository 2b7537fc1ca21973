/** The tray's icon, tooltip and menu, as a pure function of the node's state. */
import { exitOf, type NodeState } from "../../src-shared/model/node-state.ts";
import type { Texts } from "../../src-shared/text/en.ts";
import { headlineOf, type Tone } from "../../src-shared/text/headline.ts";

export type TrayAction = "turn-on" | "turn-off" | "open" | "quit";

export type TrayEntry =
  | { readonly kind: "words"; readonly text: string }
  | { readonly kind: "separator" }
  | {
      readonly kind: "switch";
      readonly text: string;
      readonly on: boolean;
      readonly enabled: boolean;
      readonly action: TrayAction;
    }
  | { readonly kind: "button"; readonly text: string; readonly action: TrayAction };

export interface TrayView {
  readonly icon: Tone;
  readonly tooltip: string;
  readonly menu: readonly TrayEntry[];
}

/** Windows cuts a tooltip off here (NOTIFYICONDATA, szTip holds 128 characters with the terminating zero). */
const MAX_TOOLTIP_CHARACTERS = 127;

export function trayView(state: NodeState | undefined, texts: Texts): TrayView {
  const end: TrayEntry[] = [
    { kind: "separator" },
    { kind: "button", text: texts.tray.open, action: "open" },
    { kind: "button", text: texts.tray.quit, action: "quit" },
  ];
  if (state === undefined) {
    return { icon: "busy", tooltip: texts.tray.unknown, menu: [{ kind: "words", text: texts.tray.unknown }, ...end] };
  }
  const { phase } = state.node;
  const headline = headlineOf(state.node, texts);
  const on = phase !== "stopped" && phase !== "stopping" && phase !== "failed";
  const exit = exitOf(state.node);
  return {
    icon: headline.tone,
    tooltip: cut(`${texts.app}: ${headline.sentence}`),
    menu: [
      { kind: "words", text: headline.sentence },
      { kind: "separator" },
      {
        kind: "switch",
        text: texts.tray.share,
        on,
        enabled: phase !== "stopping",
        action: on ? "turn-off" : "turn-on",
      },
      ...(exit === undefined
        ? []
        : [{ kind: "words", text: texts.tray.connected(exit.clients.connected) } satisfies TrayEntry]),
      ...end,
    ],
  };
}

function cut(text: string): string {
  return text.length <= MAX_TOOLTIP_CHARACTERS ? text : `${text.slice(0, MAX_TOOLTIP_CHARACTERS - 1)}…`;
}
