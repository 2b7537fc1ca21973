import { describe, expect, it } from "vitest";
import { type PhaseState, startStepSchema } from "../../src-shared/model/node-state.ts";
import { NOT_LOOKED } from "../../src-shared/testing/not-looked.ts";
import { en } from "../../src-shared/text/en.ts";
import type { Tone } from "../../src-shared/text/headline.ts";
import { FAKE_EXIT, FAKE_NOW } from "../ipc/testing/fake-node.ts";
import { drawTrayIcon, MONOCHROME } from "./tray-icon.ts";
import { trayView } from "./tray-view.ts";

const since = FAKE_NOW;
const error = { code: "x", message: "the NAT rules are gone" };

function view(node: PhaseState) {
  return trayView({ version: "1", node, relay: { state: "off" }, portMapping: { state: "off" }, ...NOT_LOOKED }, en);
}

describe("the tray", () => {
  it.each<[PhaseState, Tone, boolean, boolean]>([
    [{ phase: "stopped", since }, "off", false, true],
    [{ phase: "starting", since, step: "apply" }, "busy", true, true],
    [{ phase: "running", since, exit: FAKE_EXIT }, "good", true, true],
    [{ phase: "degraded", since, exit: FAKE_EXIT, problems: [error] }, "attention", true, true],
    [{ phase: "recovering", since, exit: FAKE_EXIT, cause: error, attempt: 1 }, "busy", true, true],
    [{ phase: "stopping", since }, "busy", false, false],
    [{ phase: "failed", since, error }, "attention", false, true],
  ])("shows %j", (node, icon, on, enabled) => {
    const { icon: shown, menu } = view(node);
    expect(shown).toBe(icon);
    expect(menu.find((entry) => entry.kind === "switch")).toMatchObject({
      on,
      enabled,
      action: on ? "turn-off" : "turn-on",
    });
  });

  it("says in one sentence how it is, and who is connected", () => {
    const { tooltip, menu } = view({ phase: "running", since, exit: FAKE_EXIT });
    expect(tooltip).toBe("HiggsNode: Sharing. 1 person connected");
    expect(menu.map((entry) => (entry.kind === "separator" ? "-" : entry.text))).toEqual([
      "Sharing. 1 person connected",
      "-",
      "Share this connection",
      "1 person connected",
      "-",
      "Open the panel",
      "Quit",
    ]);
  });

  it("can be left before anything is known", () => {
    expect(trayView(undefined, en).menu.at(-1)).toMatchObject({ action: "quit" });
  });

  it("has a tooltip that no system cuts off, in every step", () => {
    for (const step of startStepSchema.options) {
      expect(view({ phase: "starting", since, step }).tooltip.length).toBeLessThanOrEqual(127);
    }
    const long = { ...en, headline: { ...en.headline, stopped: "x".repeat(300) } } as unknown as typeof en;
    expect(
      trayView(
        {
          version: "1",
          node: { phase: "stopped", since },
          relay: { state: "off" },
          portMapping: { state: "off" },
          ...NOT_LOOKED,
        },
        long,
      ).tooltip,
    ).toHaveLength(127);
  });
});

describe("the tray's icons", () => {
  const tones: Tone[] = ["off", "busy", "good", "attention"];

  it("can be told apart without colour", () => {
    const shapes = tones.map((tone) => Buffer.from(drawTrayIcon(tone, 32, MONOCHROME)).toString("hex"));
    expect(new Set(shapes).size).toBe(tones.length);
  });

  it.each(tones)("are premultiplied and leave the corners clear: %s", (tone) => {
    const pixels = drawTrayIcon(tone, 32, { red: 255, green: 128, blue: 0 });
    expect([...pixels.slice(0, 4)]).toEqual([0, 0, 0, 0]);
    let inked = 0;
    for (let at = 0; at < pixels.length; at += 4) {
      const [blue = 0, green = 0, red = 0, alpha = 0] = pixels.slice(at, at + 4);
      expect(Math.max(blue, green, red)).toBeLessThanOrEqual(alpha);
      if (alpha === 255) inked++;
    }
    expect(inked).toBeGreaterThan(100);
  });
});
