import { readFileSync } from "node:fs";
import type { Browser, Page } from "playwright";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser, takeScreenshot } from "./hosts/browser.ts";
import { Higgsnode, Lab, LoopbackBridge, requireLab, WAN, WIREGUARD_PORT } from "./lab/index.ts";

/** Each step is on screen within a second or two; a loaded machine gets more. */
const STEP_TIMEOUT_MS = 20_000;

describe.skipIf(!requireLab())("the panel of a running node", () => {
  let lab: Lab;
  let node: Higgsnode;
  let bridge: LoopbackBridge;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    lab = await Lab.create({ router: { mapping: "none", portForward51820: true } });
    bridge = await LoopbackBridge.to(lab.host("node"));
    node = new Higgsnode(lab.host("node"));
    const { panel } = await node.start({ panelPort: bridge.port });
    await node.mustRun(["settings", "set", `publicEndpoint=${WAN.customer.ipv4}:${WIREGUARD_PORT}`]);
    browser = await launchBrowser();
    page = await browser.newPage({ viewport: { width: 1024, height: 700 } });
    page.setDefaultTimeout(STEP_TIMEOUT_MS);
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(panel ?? "");
  });
  afterAll(async () => {
    await browser?.close();
    await bridge?.close();
    await lab?.dispose();
  });

  it("leads from off to a guest who is connected, with the screen alone", async () => {
    await page.getByRole("heading", { name: "Welcome to HiggsNode" }).waitFor();
    await takeScreenshot(page, "panel-welcome");
    await page.getByRole("button", { name: "Turn sharing on" }).click();
    await page.getByText("Sharing is on.").waitFor();
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByRole("heading", { name: "Can the internet reach this computer?" }).waitFor();
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByLabel("Name of the new client").fill("Anna's phone");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await takeScreenshot(page, "panel-client");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save file" }).click(),
    ]);
    const configuration = readFileSync(await download.path(), "utf8");
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByRole("button", { name: "Finish" }).click();
    await page.getByRole("heading", { name: /^Sharing\./ }).waitFor();
    await page.getByRole("link", { name: "Clients" }).click();
    const guest = await lab.addGuest();
    await guest.up(configuration);
    await guest.waitForHandshake();
    expect((await guest.fetch("http://www.example.test/")).status).toBe(200);
    const row = page.getByRole("row", { name: /Anna's phone/ });
    await row.getByText("Connected", { exact: true }).waitFor();
    await row.getByText("directly").waitFor();
    await takeScreenshot(page, "panel-sharing");
  });

  it("follows what is changed elsewhere", async () => {
    await node.mustRun(["client", "add", "Boris"]);
    await page.getByRole("row", { name: /Boris/ }).waitFor();
    await node.mustRun(["client", "remove", "Boris"]);
    await page.getByRole("row", { name: /Boris/ }).waitFor({ state: "detached" });
    await node.mustRun(["off"]);
    await page.getByRole("link", { name: "Overview" }).click();
    await page.getByRole("heading", { name: "Not sharing" }).waitFor();
    await takeScreenshot(page, "panel-off");
    await page.getByRole("switch", { name: "Share this connection" }).click();
    await page.getByRole("heading", { name: /^Sharing\./ }).waitFor();
  });

  it("speaks Russian as soon as that is set, without being loaded again", async () => {
    await node.mustRun(["settings", "set", "language=ru", "theme=dark"]);
    await page.getByRole("heading", { name: /^Доступ открыт\./ }).waitFor();
    expect(await page.getAttribute("html", "lang")).toBe("ru");
    expect(await page.getAttribute("html", "data-theme")).toBe("dark");
    await takeScreenshot(page, "panel-russian");
    await node.mustRun(["settings", "set", "language=en", "theme=system"]);
    await page.getByRole("heading", { name: /^Sharing\./ }).waitFor();
  });

  it("says when the node is gone", async () => {
    await node.stop();
    await page.getByText("connection to the node is lost").first().waitFor();
  });

  it("caused no complaint of the browser before that", () => {
    expect(complaints.filter((text) => !/WebSocket connection|ERR_CONNECTION|ERR_EMPTY/.test(text))).toEqual([]);
  });
});
