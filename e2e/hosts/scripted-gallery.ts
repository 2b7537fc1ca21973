/**
 * The pictures of README.md, drawn anew: `node e2e/hosts/scripted-gallery.ts` writes docs/screenshots/*.png from the
 * built panel. The node is played, so that every picture shows a state worth looking at.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Panel } from "../pages/panel.ts";
import { recovering } from "./scripted-faults.ts";
import { DESKTOP, PHONE, ScriptedHost } from "./scripted-host.ts";
import type { ScriptedWorld } from "./scripted-node.ts";
import { aWorld } from "./scripted-states.ts";
import { doubleNat } from "./scripted-ways.ts";

const FOLDER = join(import.meta.dirname, "../../docs/screenshots");

interface Picture {
  readonly name: string;
  readonly world?: Partial<ScriptedWorld>;
  readonly settings?: Partial<ScriptedWorld["settings"]>;
  readonly hash: string;
  readonly viewport?: typeof DESKTOP;
  /** Until everything is there. */
  readonly ready: (panel: Panel) => Promise<void>;
}

const PICTURES: readonly Picture[] = [
  {
    name: "overview",
    hash: "#/overview",
    ready: async (panel) => {
      await panel.overview.chart.waitFor();
      await panel.overview.totals.getByText("GiB").first().waitFor();
    },
  },
  { name: "clients", hash: "#/clients", ready: (panel) => panel.clients.row("Boris").waitFor() },
  {
    name: "code",
    hash: "#/clients",
    ready: async (panel) => {
      await panel.clients.button("show", "Boris").click();
      await panel.clients.qrCode("Boris").waitFor();
    },
  },
  {
    name: "two-routers",
    hash: "#/network",
    world: { node: doubleNat() },
    viewport: { width: 1024, height: 940 },
    ready: (panel) => panel.network.hop("second-router").waitFor(),
  },
  {
    name: "repair",
    hash: "#/health",
    world: { node: recovering(2) },
    settings: { theme: "dark" },
    ready: (panel) => panel.health.fact("networkRoute").waitFor(),
  },
  {
    name: "phone",
    hash: "#/overview",
    settings: { language: "ru" },
    viewport: PHONE,
    ready: (panel) => panel.overview.chart.waitFor(),
  },
];

const host = await ScriptedHost.start();
try {
  mkdirSync(FOLDER, { recursive: true });
  await host.page.emulateMedia({ reducedMotion: "reduce" });
  for (const { name, world = {}, settings = {}, hash, viewport = DESKTOP, ready } of PICTURES) {
    const base = aWorld(world);
    const { panel } = await host.open({ ...base, settings: { ...base.settings, ...settings } }, { viewport, hash });
    await ready(panel);
    await host.page.evaluate(() => document.fonts.ready.then(() => undefined));
    await host.page.screenshot({ path: join(FOLDER, `${name}.png`) });
    process.stdout.write(`${name}.png\n`);
  }
} finally {
  await host.close();
}
