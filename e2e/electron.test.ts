import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ElectronApplication, Page } from "playwright";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasElectron, launchApp, packageApp } from "./hosts/electron.ts";

/** Sharing stays off: outside the lab nothing may be changed. */
describe.skipIf(!hasElectron())("the packaged app in Electron", () => {
  let folder: string;
  let app: ElectronApplication;
  let page: Page;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "higgsnode-electron-"));
    app = await launchApp(packageApp(join(folder, "packages")), join(folder, "data"));
    page = await app.firstWindow();
  });
  afterAll(async () => {
    await app?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("opens its window on its own page", async () => {
    await page.evaluate('location.hash = "#/overview"');
    await page.getByText("Not sharing").first().waitFor();
    expect(page.url()).toMatch(/^higgs:\/\/panel\//);
    expect(await app.evaluate(({ app: electron }) => electron.isPackaged)).toBe(true);
  });

  it("gives the page two functions, and nothing of Node", async () => {
    const seen = await page.evaluate("[typeof require, typeof process, Object.keys(higgs).join()]");
    expect(seen).toEqual(["undefined", "undefined", "call,subscribe"]);
  });

  it("answers calls of the contract through the real bridge", async () => {
    expect(await page.evaluate('higgs.call("host.facts", {})')).toMatchObject({ ok: true, value: { kind: "desktop" } });
    expect(await page.evaluate('higgs.call("node.explode", {})')).toMatchObject({ ok: false });
  });

  it("neither leaves its page nor opens another, nor loads anything from elsewhere", async () => {
    await page.evaluate('location.href = "https://example.com/"; undefined');
    await page.evaluate('window.open("https://example.com/"); undefined');
    expect(await page.evaluate('fetch("https://example.com/").then(() => "fetched", () => "refused")')).toBe("refused");
    expect(page.url()).toMatch(/^higgs:\/\/panel\//);
    expect(app.windows()).toHaveLength(1);
  });

  it("ends when it is told to quit", async () => {
    const ended = new Promise((resolve) => app.process().once("exit", resolve));
    await app.evaluate(({ app: electron }) => electron.quit()).catch(() => {});
    expect(await ended).toBe(0);
  });
});
