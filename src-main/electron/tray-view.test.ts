import { describe, expect, it } from "vitest";
import { type NodeState, type PhaseState, startStepSchema } from "../../src-shared/model/node-state.ts";
import { NOT_LOOKED } from "../../src-shared/testing/not-looked.ts";
import { LANGUAGES } from "../../src-shared/text/language.ts";
import { createTranslator } from "../../src-shared/text/translate.ts";
import { FAKE_EXIT, FAKE_NOW } from "../ipc/testing/fake-node.ts";
import { type TrayIconName, trayView } from "./tray-view.ts";

const t = createTranslator("en");
const since = FAKE_NOW;
const error = { code: "x", message: "the NAT rules are gone" };
const running: PhaseState = { phase: "running", since, exit: FAKE_EXIT };

function stateOf(node: PhaseState, more: Partial<NodeState> = {}): NodeState {
  return { version: "1", node, relay: { state: "off" }, portMapping: { state: "off" }, ...NOT_LOOKED, ...more };
}

function texts(state: NodeState, loggingPaused = false): string[] {
  return trayView({ state, settings: { loggingPaused } }, t).menu.map((entry) =>
    entry.kind === "separator" ? "-" : entry.text,
  );
}

describe("the tray", () => {
  it.each<[PhaseState, TrayIconName, boolean, boolean]>([
    [{ phase: "stopped", since }, "off", false, true],
    [{ phase: "starting", since, step: "apply" }, "starting", true, true],
    [running, "sharing", true, true],
    [{ phase: "degraded", since, exit: FAKE_EXIT, problems: [error] }, "attention", true, true],
    [{ phase: "recovering", since, exit: FAKE_EXIT, cause: error, attempt: 1 }, "starting", true, true],
    [{ phase: "stopping", since }, "starting", false, false],
    [{ phase: "failed", since, error }, "attention", false, true],
  ])("shows %j", (node, icon, on, enabled) => {
    const view = trayView({ state: stateOf(node) }, t);
    expect(view.icon).toBe(icon);
    expect(view.menu.find((entry) => entry.kind === "switch")).toMatchObject({
      on,
      enabled,
      action: on ? "turn-off" : "turn-on",
    });
  });

  it("shows by an icon of its own that guests come in through the relay", () => {
    const state = stateOf(running, {
      relay: { state: "connected" } as NodeState["relay"],
      reachability: { state: "unreachable", reason: error } as NodeState["reachability"],
    });
    expect(trayView({ state }, t).icon).toBe("relayed");
  });

  it("says in one sentence how it is, and who is connected", () => {
    expect(trayView({ state: stateOf(running) }, t).tooltip).toBe("HiggsNode: Sharing. 1 person connected");
    expect(texts(stateOf(running))).toEqual([
      "Sharing. 1 person connected",
      "-",
      "Share this connection",
      "1 person connected",
      "Pause logging",
      "-",
      "Open the panel",
      "Quit",
    ]);
  });

  it.each([
    [false, "pause-logging"],
    [true, "resume-logging"],
  ])("offers what is not so with the log, paused: %s", (loggingPaused, action) => {
    const { menu } = trayView({ state: stateOf(running), settings: { loggingPaused } }, t);
    expect(menu).toContainEqual(expect.objectContaining({ text: "Pause logging", on: loggingPaused, action }));
  });

  it("can be left before anything is known", () => {
    expect(trayView({}, t).menu.at(-1)).toMatchObject({ action: "quit" });
  });

  it.each(LANGUAGES)("has a tooltip that no system cuts off, in every step, and no text missing: %s", (language) => {
    const own = createTranslator(language);
    for (const step of startStepSchema.options) {
      const view = trayView({ state: stateOf({ phase: "starting", since, step }) }, own);
      expect(view.tooltip.length).toBeLessThanOrEqual(127);
      for (const entry of view.menu) if (entry.kind !== "separator") expect(entry.text).not.toMatch(/^tray\.|^$/);
    }
  });

  it("cuts a tooltip that a system would cut in the middle of it", () => {
    const long = Object.assign((key: string) => (key.startsWith("headline") ? "x".repeat(300) : key), t) as typeof t;
    expect(trayView({ state: stateOf({ phase: "stopped", since }) }, long).tooltip).toHaveLength(127);
  });
});
