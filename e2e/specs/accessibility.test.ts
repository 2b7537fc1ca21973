import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Language } from "../../src-shared/text/language.ts";
import { degraded } from "../hosts/scripted-faults.ts";
import { ScriptedHost } from "../hosts/scripted-host.ts";
import { newWorld } from "../hosts/scripted-states.ts";
import { SCREENS } from "../pages/panel.ts";
import { BUSY_PRIVACY, dialogs, fill, type Looker, openLooking, visit } from "./full-screens.ts";

/** Of what axe looks at, the colours change contrast alone. */
type Rules = "everything" | "contrast";

/** Serious and critical are what keeps somebody from using it. */
async function axeFaults(page: Page, rules: Rules, part: string): Promise<string[]> {
  const builder = new AxeBuilder({ page }).setLegacyMode().include(part);
  const { violations } = await (rules === "contrast" ? builder.withRules("color-contrast") : builder).analyze();
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary ?? ""}`));
}

interface Round {
  readonly language: Language;
  readonly theme: "light" | "dark";
  readonly rules: Rules;
}

const EVERYWHERE: readonly Round[] = [
  { language: "en", theme: "light", rules: "everything" },
  { language: "en", theme: "dark", rules: "contrast" },
  { language: "ru", theme: "light", rules: "everything" },
  { language: "ru", theme: "dark", rules: "contrast" },
];

/** Each language and each colour once, for what has the same parts as the screens. */
const CROSSWISE: readonly Round[] = [
  { language: "en", theme: "light", rules: "everything" },
  { language: "ru", theme: "dark", rules: "everything" },
];

async function axeIn({ scripted, panel }: Looker, rounds: readonly Round[], part = "html"): Promise<string[]> {
  const faults: string[] = [];
  for (const { language, theme, rules } of rounds) {
    scripted.node.setSettings({ language, theme });
    await panel.page.waitForFunction(
      ([lang, shown]) => document.documentElement.lang === lang && document.documentElement.dataset.theme === shown,
      [language, theme],
    );
    const found = await axeFaults(panel.page, rules, part);
    faults.push(...found.map((fault) => `${language}, ${theme}: ${fault}`));
  }
  scripted.node.setSettings({ language: "en", theme: "light" });
  await panel.page.waitForFunction(() => document.documentElement.lang === "en");
  return faults;
}

describe("nobody is kept from using it, in either language and colours (axe)", () => {
  let host: ScriptedHost;
  beforeAll(async () => {
    host = await ScriptedHost.start();
  });
  afterAll(() => host?.close());

  it.each(SCREENS)("on the screen: %s", async (screen) => {
    const looker = await openLooking(host, { privacy: BUSY_PRIVACY, node: degraded() }, { language: "en" });
    await visit(looker.panel, screen);
    await fill(looker.panel, screen);
    expect(await axeIn(looker, EVERYWHERE)).toEqual([]);
  });

  it("in any dialog", async () => {
    const looker = await openLooking(host, {}, { language: "en", hash: "#/clients" });
    const faults: string[] = [];
    for (const [what, show] of dialogs(looker.panel)) {
      await show();
      const found = await axeIn(looker, CROSSWISE, "[role=dialog]");
      faults.push(...found.map((fault) => `${what}, ${fault}`));
      await looker.panel.clients.closeDialog();
    }
    expect(faults).toEqual([]);
  });

  it("in the welcome", async () => {
    const looker = await openLooking(host, newWorld(), { language: "en", hash: "#/welcome" });
    const faults: string[] = [];
    for (const step of ["permission", "reach", "client"] as const) {
      await looker.panel.welcome.step(step).click();
      const found = await axeIn(looker, CROSSWISE);
      faults.push(...found.map((fault) => `${step}, ${fault}`));
    }
    expect(faults).toEqual([]);
  });

  it("and a check that finds what would", async () => {
    const { panel } = await openLooking(host, {}, { language: "en" });
    await panel.overview.headline.waitFor();
    await panel.page.evaluate(() => {
      const button = document.createElement("button");
      const words = document.createElement("p");
      words.textContent = "hard to read";
      words.style.color = "#bbb";
      words.style.background = "#fff";
      document.querySelector("main")?.append(button, words);
    });
    const faults = (await axeFaults(panel.page, "everything", "html")).join();
    expect(faults).toContain("button-name");
    expect(faults).toContain("color-contrast");
  });
});
