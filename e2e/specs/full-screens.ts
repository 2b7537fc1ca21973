/** Screens with as much on them as they ever have, and every dialog: for whoever looks at how they look. */
import type { Settings } from "../../src-shared/model/settings.ts";
import type { Language } from "../../src-shared/text/language.ts";
import type { Scripted, ScriptedHost } from "../hosts/scripted-host.ts";
import type { ScriptedWorld } from "../hosts/scripted-node.ts";
import { aWorld, PRIVACY } from "../hosts/scripted-states.ts";
import { unfold } from "../pages/layout-faults.ts";
import { Panel, type ScreenName } from "../pages/panel.ts";

/** Everything is recorded, and some of it was lost. */
export const BUSY_PRIVACY = {
  ...PRIVACY,
  settings: { ...PRIVACY.settings, logDNS: true, logTraffic: true },
  lost: { kernel: 12, notWritten: 3 },
};

export interface Look {
  readonly language: Language;
  readonly theme?: Settings["theme"];
  readonly hash?: string;
}

export interface Looker {
  readonly scripted: Scripted;
  readonly panel: Panel;
}

export async function openLooking(
  host: ScriptedHost,
  changes: Partial<ScriptedWorld>,
  { language, theme = "light", hash = "#/overview" }: Look,
): Promise<Looker> {
  // Things that move are looked at once they have arrived.
  await host.page.emulateMedia({ reducedMotion: "reduce" });
  const world = aWorld(changes);
  world.settings = { ...world.settings, language, theme };
  const scripted = await host.open(world, { hash });
  return { scripted, panel: new Panel(scripted.page, language) };
}

/** Goes to a screen and unfolds it, once everything has come that comes with an answer of its own. */
export async function visit(panel: Panel, screen: ScreenName): Promise<void> {
  await panel.goTo(screen);
  await panel.page.waitForFunction(() => document.querySelector(".spinner[role=status]") === null);
  await unfold(panel.page);
}

/** Fills what is only there once somebody has asked for it. */
export async function fill(panel: Panel, screen: ScreenName): Promise<void> {
  if (screen !== "health") return;
  await panel.health.runDiagnosis.click();
  await panel.health.makeReport();
  // Without a client there is nobody to follow a packet of.
  const address = panel.health.trace.getByRole("textbox").first();
  if ((await address.count()) > 0) {
    await address.fill("203.0.113.5");
    await panel.health.trace.getByRole("button").click();
    await panel.health.trace.getByRole("heading", { name: panel.t("health.trace.steps") }).waitFor();
  }
  const test = panel.health.selfTest.getByRole("button");
  if (await test.isEnabled()) {
    await test.click();
    await panel.health.selfTest.getByText(panel.t("health.selfTest.pass")).waitFor();
  }
  await unfold(panel.page);
}

/** Every dialog there is above the list of clients, with the way to open it. */
export function dialogs(panel: Panel): [string, () => Promise<void>][] {
  const { clients } = panel;
  const opened = async (button: { click(): Promise<void> }) => {
    await button.click();
    await clients.dialog.waitFor();
  };
  const limits = (part: "speed" | "data" | "hours") => async () => {
    await opened(clients.button("limits", "Anna's phone"));
    await clients.chooseLimits(part);
    const first = clients.dialog.getByRole("switch").first();
    if (part === "hours" && (await first.getAttribute("aria-checked")) === "false") await first.click();
  };
  return [
    ["add", () => opened(clients.addButton)],
    ["speed", limits("speed")],
    ["data", limits("data")],
    ["hours", limits("hours")],
    ["remove", () => opened(clients.button("remove", "Boris"))],
    [
      "configuration",
      async () => {
        await clients.button("show", "Boris").click();
        await clients.qrCode("Boris").waitFor();
      },
    ],
  ];
}
