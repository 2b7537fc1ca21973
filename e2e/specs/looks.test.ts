import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Settings } from "../../src-shared/model/settings.ts";
import type { Language } from "../../src-shared/text/language.ts";
import { DESKTOP, PHONE, type Scripted, ScriptedHost } from "../hosts/scripted-host.ts";
import type { ScriptedWorld } from "../hosts/scripted-node.ts";
import {
  aWorld,
  carrierNat,
  degraded,
  doubleNat,
  failed,
  HELPER_REFUSED,
  newWorld,
  PRIVACY,
  recovering,
  relayed,
  STOPPED,
  sharing,
  starting,
} from "../hosts/scripted-states.ts";
import { foreignWords } from "../pages/foreign-words.ts";
import { layoutFaults, unfold } from "../pages/layout-faults.ts";
import { Panel, SCREENS, type ScreenName } from "../pages/panel.ts";

/** Words of the scripted data, which are nobody's to translate. */
const DATA = [
  ...["Anna's phone Boris Living room TV Lena Old laptop Office Europe Berlin"],
  // The languages' own names for themselves, and protocols as the record has them.
  ...["English CGNAT higgs0 icmpv6 AAAA TCP UDP eth0 Docker filter FORWARD DOCKER-USER conntrack relay example org"],
];

const BUSY_PRIVACY = {
  ...PRIVACY,
  settings: { ...PRIVACY.settings, logDNS: true, logTraffic: true },
  lost: { kernel: 12, notWritten: 3 },
};

/** Screens with as much on them as they ever have. */
const STATES: readonly (readonly [string, Partial<ScriptedWorld>, readonly ScreenName[]])[] = [
  ["sharing", { privacy: BUSY_PRIVACY }, SCREENS],
  ["off, with nobody on the list", { node: STOPPED, clients: [] }, ["overview", "clients", "network", "health"]],
  ["behind two routers", { node: doubleNat() }, ["overview", "network"]],
  ["behind a shared address", { node: carrierNat() }, ["overview", "network"]],
  ["on the relay", { node: relayed() }, ["overview", "network"]],
  ["broken", { node: degraded() }, ["overview", "health"]],
  ["being repaired", { node: recovering(2) }, ["overview", "health"]],
  ["refused", { node: failed(HELPER_REFUSED) }, ["overview", "network"]],
  ["starting", { node: starting("helper") }, ["overview"]],
];

/** Serious and critical are what keeps somebody from using it. */
async function axeFaults(page: Page, what: "everything" | "contrast"): Promise<string[]> {
  const builder = new AxeBuilder({ page }).setLegacyMode();
  const { violations } = await (what === "contrast" ? builder.withRules("color-contrast") : builder).analyze();
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary ?? ""}`));
}

interface Looker {
  readonly scripted: Scripted;
  readonly panel: Panel;
}

describe("how it looks", () => {
  let host: ScriptedHost;
  beforeAll(async () => {
    host = await ScriptedHost.start();
    // Things that move are looked at once they have arrived.
    await host.page.emulateMedia({ reducedMotion: "reduce" });
  });
  afterAll(() => host?.close());

  async function open(
    changes: Partial<ScriptedWorld>,
    { language, theme = "light", viewport = DESKTOP, hash = "#/overview" }: Look,
  ): Promise<Looker> {
    const world = aWorld(changes);
    world.settings = { ...world.settings, language, theme };
    const scripted = await host.open(world, { viewport, hash });
    return { scripted, panel: new Panel(scripted.page, language) };
  }

  async function visit(panel: Panel, screen: ScreenName): Promise<void> {
    await panel.goTo(screen);
    // What comes with an answer of its own.
    await panel.page.waitForFunction(() => document.querySelector(".spinner[role=status]") === null);
    await unfold(panel.page);
  }

  /** Fills what is only there once somebody has asked for it. */
  async function fill(panel: Panel, screen: ScreenName): Promise<void> {
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

  /** In both languages and both colours: of what axe looks at, the colours change contrast alone. */
  async function axeEverywhere({ scripted, panel }: Looker, what: string): Promise<string[]> {
    const faults: string[] = [];
    for (const language of ["en", "ru"] as const) {
      for (const theme of ["light", "dark"] as const) {
        scripted.node.setSettings({ language, theme });
        await panel.page.waitForFunction(
          ([lang, shown]) => document.documentElement.lang === lang && document.documentElement.dataset.theme === shown,
          [language, theme],
        );
        const found = await axeFaults(panel.page, theme === "light" ? "everything" : "contrast");
        faults.push(...found.map((fault) => `${what}, ${language}, ${theme}: ${fault}`));
      }
    }
    scripted.node.setSettings({ language: "en", theme: "light" });
    await panel.page.waitForFunction(() => document.documentElement.lang === "en");
    return faults;
  }

  it.each(SCREENS)("keeps nobody from using the screen, in either language and colours (axe): %s", async (screen) => {
    const looker = await open({ privacy: BUSY_PRIVACY, node: degraded() }, { language: "en" });
    await visit(looker.panel, screen);
    await fill(looker.panel, screen);
    expect(await axeEverywhere(looker, screen)).toEqual([]);
  });

  it("keeps nobody from using any dialog, in either language and colours (axe)", async () => {
    const looker = await open({}, { language: "en", hash: "#/clients" });
    const faults: string[] = [];
    for (const [what, show] of dialogs(looker.panel)) {
      await show();
      faults.push(...(await axeEverywhere(looker, what)));
      await looker.panel.clients.closeDialog();
    }
    expect(faults).toEqual([]);
  });

  it("keeps nobody from using the welcome, in either language and colours (axe)", async () => {
    const looker = await open(newWorld(), { language: "en", hash: "#/welcome" });
    const faults: string[] = [];
    for (const step of ["permission", "reach", "client"] as const) {
      await looker.panel.welcome.step(step).click();
      faults.push(...(await axeEverywhere(looker, step)));
    }
    expect(faults).toEqual([]);
  });

  describe.each([
    ["a window of 1024×700", DESKTOP],
    ["a phone of 360×740", PHONE],
  ])("in Russian on %s", (_, viewport) => {
    const look = { language: "ru", viewport } as const;

    it.each(STATES)("has nothing cut and nothing untranslated: %s", async (_state, changes, screens) => {
      const { panel, scripted } = await open(changes, look);
      const faults: string[] = [];
      for (const screen of screens) {
        await visit(panel, screen);
        await fill(panel, screen);
        const found = [...(await layoutFaults(panel.page)), ...(await foreignWords(panel.page, DATA))];
        faults.push(...found.map((fault) => `${screen}: ${fault}`));
      }
      expect(faults).toEqual([]);
      expect(scripted.node.nonsense).toEqual([]);
    });

    it("has nothing cut and nothing untranslated: dialogs", async () => {
      const { panel } = await open({}, { ...look, hash: "#/clients" });
      const faults: string[] = [];
      for (const [what, show] of dialogs(panel)) {
        await show();
        await unfold(panel.page);
        const found = [...(await layoutFaults(panel.page)), ...(await foreignWords(panel.page, DATA))];
        faults.push(...found.map((fault) => `${what}: ${fault}`));
        await panel.clients.closeDialog();
      }
      expect(faults).toEqual([]);
    });

    it("has nothing cut and nothing untranslated: the welcome, the lost connection", async () => {
      const { panel, scripted } = await open(newWorld(), { ...look, hash: "#/welcome" });
      const faults: string[] = [];
      for (const node of [STOPPED, sharing(), failed(HELPER_REFUSED)]) {
        scripted.node.setNode(node);
        for (const step of ["permission", "reach", "client"] as const) {
          await panel.welcome.step(step).click();
          faults.push(...(await layoutFaults(panel.page)), ...(await foreignWords(panel.page, DATA)));
        }
      }
      await scripted.node.goAway();
      await panel.alerts.waitFor();
      faults.push(...(await layoutFaults(panel.page)), ...(await foreignWords(panel.page, DATA)));
      expect(faults).toEqual([]);
    });
  });

  it("has a check that finds what is cut, what sticks out and what is English", async () => {
    const { panel } = await open({}, { language: "ru" });
    await panel.overview.headline.waitFor();
    await panel.page.evaluate(() => {
      const add = (text: string, style: Partial<CSSStyleDeclaration>) => {
        const element = document.createElement("div");
        element.textContent = text;
        Object.assign(element.style, style);
        document.querySelector("main")?.append(element);
      };
      add("обрезано посередине слова", { width: "40px", overflow: "hidden", whiteSpace: "nowrap" });
      add("слишком широко", { width: "3000px" });
      add("Something in English", {});
      add("overview.title", {});
    });
    const faults = (await layoutFaults(panel.page)).join("\n");
    expect(faults).toMatch(/cut at the side: .* обрезано/);
    expect(faults).toMatch(/sticks out of the page: .* слишком/);
    const words = (await foreignWords(panel.page, DATA)).join("\n");
    expect(words).toMatch(/English/i);
    expect(words).toContain("a key: overview.title");
  });
});

interface Look {
  readonly language: Language;
  readonly theme?: Settings["theme"];
  readonly viewport?: typeof DESKTOP;
  readonly hash?: string;
}

/** Every dialog there is above the list of clients, with the way to open it. */
function dialogs(panel: Panel): [string, () => Promise<void>][] {
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
