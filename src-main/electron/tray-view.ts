/** The tray's icon, tooltip and menu, as a pure function of what is known of the node. */
import { exitOf, type NodeState } from "../../src-shared/model/node-state.ts";
import type { Settings } from "../../src-shared/model/settings.ts";
import { type Headline, headlineOf } from "../../src-shared/text/headline.ts";
import type { Translate } from "../../src-shared/text/translate.ts";

/** Each has a shape of its own, so that nobody needs to tell colours apart. */
export const TRAY_ICONS = ["off", "starting", "sharing", "relayed", "attention"] as const;
export type TrayIconName = (typeof TRAY_ICONS)[number];

export type TrayAction = "turn-on" | "turn-off" | "pause-logging" | "resume-logging" | "open" | "quit";

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
  readonly icon: TrayIconName;
  readonly tooltip: string;
  readonly menu: readonly TrayEntry[];
}

export interface TrayFacts {
  readonly state?: NodeState;
  readonly settings?: Pick<Settings, "loggingPaused">;
}

/** Windows cuts a tooltip off here (NOTIFYICONDATA, szTip holds 128 characters with the terminating zero). */
const MAX_TOOLTIP_CHARACTERS = 127;

export function trayView({ state, settings }: TrayFacts, t: Translate): TrayView {
  const end: TrayEntry[] = [
    { kind: "separator" },
    { kind: "button", text: t("tray.open"), action: "open" },
    { kind: "button", text: t("tray.quit"), action: "quit" },
  ];
  if (state === undefined) {
    return {
      icon: "starting",
      tooltip: t("tray.unknown"),
      menu: [{ kind: "words", text: t("tray.unknown") }, ...end],
    };
  }
  const headline = headlineOf(state, t);
  return {
    icon: iconOf(headline),
    tooltip: cut(`${t("common.app")}: ${headline.sentence}`),
    menu: [
      { kind: "words", text: headline.sentence },
      { kind: "separator" },
      shareSwitch(state, t),
      ...connected(state, t),
      ...(settings === undefined ? [] : [loggingSwitch(settings, t)]),
      ...end,
    ],
  };
}

/** Whether turning off is what the switch would do. */
export function isSharingWanted({ node: { phase } }: NodeState): boolean {
  return phase !== "stopped" && phase !== "stopping" && phase !== "failed";
}

function iconOf({ tone, way }: Headline): TrayIconName {
  switch (tone) {
    case "off":
      return "off";
    case "busy":
      return "starting";
    case "good":
      return way === "relay" ? "relayed" : "sharing";
    case "attention":
      return "attention";
  }
}

function shareSwitch(state: NodeState, t: Translate): TrayEntry {
  const on = isSharingWanted(state);
  const enabled = state.node.phase !== "stopping";
  return { kind: "switch", text: t("tray.share"), on, enabled, action: on ? "turn-off" : "turn-on" };
}

function connected(state: NodeState, t: Translate): TrayEntry[] {
  const exit = exitOf(state.node);
  return exit === undefined ? [] : [{ kind: "words", text: t("tray.connected", { count: exit.clients.connected }) }];
}

function loggingSwitch({ loggingPaused: on }: Pick<Settings, "loggingPaused">, t: Translate): TrayEntry {
  const action = on ? "resume-logging" : "pause-logging";
  return { kind: "switch", text: t("tray.pauseLogging"), on, enabled: true, action };
}

function cut(text: string): string {
  return text.length <= MAX_TOOLTIP_CHARACTERS ? text : `${text.slice(0, MAX_TOOLTIP_CHARACTERS - 1)}…`;
}
