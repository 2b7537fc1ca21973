import type { Page } from "playwright";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { degraded, failed, HELPER_REFUSED, recovering } from "../hosts/scripted-faults.ts";
import { DESKTOP, PHONE, ScriptedHost } from "../hosts/scripted-host.ts";
import type { ScriptedWorld } from "../hosts/scripted-node.ts";
import { newWorld, STOPPED, sharing, starting } from "../hosts/scripted-states.ts";
import { carrierNat, doubleNat, relayed } from "../hosts/scripted-ways.ts";
import { foreignWords } from "../pages/foreign-words.ts";
import { layoutFaults, unfold } from "../pages/layout-faults.ts";
import { SCREENS, type ScreenName } from "../pages/panel.ts";
import { BUSY_PRIVACY, dialogs, fill, type Looker, openLooking, visit } from "./full-screens.ts";

/** Words of the scripted data, which are nobody's to translate. */
const DATA = [
  ...["Anna's phone Boris Living room TV Lena Old laptop Office Europe Berlin"],
  // The languages' own names for themselves, and protocols as the record has them.
  ...["English CGNAT higgs0 icmpv6 AAAA TCP UDP eth0 Docker filter FORWARD DOCKER-USER conntrack relay example org"],
];

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

const VIEWPORTS = [
  ["phone", PHONE],
  ["window", DESKTOP],
] as const;

/** A chart follows the width of its place a frame later, and answers come in. */
const SETTLED_WITHIN_MS = 3_000;

/** What is wrong in Russian, in a window and on a phone. */
async function faultsOf({ scripted: { page } }: Looker, what: string): Promise<string[]> {
  const faults: string[] = [];
  for (const [name, viewport] of VIEWPORTS) {
    await page.setViewportSize(viewport);
    await unfold(page);
    const deadlineMs = performance.now() + SETTLED_WITHIN_MS;
    let found = await faultsNow(page);
    while (found.length > 0 && performance.now() < deadlineMs) found = await faultsNow(page);
    faults.push(...found.map((fault) => `${what}, ${name}: ${fault}`));
  }
  return faults;
}

async function faultsNow(page: Page): Promise<string[]> {
  return [...(await layoutFaults(page)), ...(await foreignWords(page, DATA))];
}

describe("how it looks in Russian", () => {
  let host: ScriptedHost;
  beforeAll(async () => {
    host = await ScriptedHost.start();
  });
  afterAll(() => host?.close());

  describe("in a window of 1024×700 and on a phone of 360×740", () => {
    it.each(STATES)("has nothing cut and nothing untranslated: %s", async (_, changes, screens) => {
      const looker = await openLooking(host, changes, { language: "ru" });
      const faults: string[] = [];
      for (const screen of screens) {
        await visit(looker.panel, screen);
        await fill(looker.panel, screen);
        faults.push(...(await faultsOf(looker, screen)));
      }
      expect(faults).toEqual([]);
      expect(looker.scripted.node.nonsense).toEqual([]);
    });

    it("has nothing cut and nothing untranslated: dialogs", async () => {
      const looker = await openLooking(host, {}, { language: "ru", hash: "#/clients" });
      const faults: string[] = [];
      for (const [what, show] of dialogs(looker.panel)) {
        await show();
        faults.push(...(await faultsOf(looker, what)));
        await looker.panel.clients.closeDialog();
      }
      expect(faults).toEqual([]);
    });

    it("has nothing cut and nothing untranslated: the welcome, the lost connection", async () => {
      const looker = await openLooking(host, newWorld(), { language: "ru", hash: "#/welcome" });
      const { panel, scripted } = looker;
      const faults: string[] = [];
      for (const node of [STOPPED, sharing(), failed(HELPER_REFUSED)]) {
        scripted.node.setNode(node);
        for (const step of ["permission", "reach", "client"] as const) {
          await panel.welcome.step(step).click();
          faults.push(...(await faultsOf(looker, `${node.node.phase}, ${step}`)));
        }
      }
      await scripted.node.goAway();
      await panel.alerts.waitFor();
      faults.push(...(await faultsOf(looker, "lost")));
      expect(faults).toEqual([]);
    });
  });

  it("has a check that finds what is cut, what sticks out and what is English", async () => {
    const { panel } = await openLooking(host, {}, { language: "ru" });
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
