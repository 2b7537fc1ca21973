import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { takeScreenshot } from "../hosts/browser.ts";
import { WebHost } from "../hosts/web-host.ts";
import { type Guest, NetworkSnapshot, requireLab, WAN, WEB_NAME } from "../lab/index.ts";
import { tabTo } from "../pages/keyboard.ts";
import { Panel } from "../pages/panel.ts";
import { expectNone, expectText, SOON } from "./expect-text.ts";

const PAGE = `http://${WEB_NAME}/`;
/** Long enough for the numbers on the screen to move; it is stopped as soon as they have. */
const DOWNLOAD = `http://${WEB_NAME}/bytes?n=2000000000&seed=1`;
const A_RATE = /[1-9][0-9.]* [kMG]bit\/s/;

/** One after the other: each step goes on where the one before has ended. */
describe.skipIf(!requireLab())("a new owner", () => {
  let host: WebHost;
  let panel: Panel;
  let guest: Guest;
  let before: NetworkSnapshot;

  beforeAll(async () => {
    host = await WebHost.create();
    panel = host.panel;
    guest = await host.lab.addGuest("phone");
    before = await NetworkSnapshot.take(host.lab.host("node"));
  });
  afterAll(() => host?.close());

  it("is welcomed at the printed address, shares, and adds a client", async () => {
    await host.page.goto(await host.startNew());
    await panel.welcome.title.waitFor();
    await takeScreenshot(host.page, "walk-1-welcome");
    await panel.welcome.share.click();
    await expectText(host.page.getByRole("status"), "Sharing is on.");
    await panel.welcome.next.click();
    await expectText(host.page.getByRole("status"), "Probably. An address is known.");
    await takeScreenshot(host.page, "walk-2-reach");
    await panel.welcome.next.click();
    await panel.welcome.clientName.fill("Anna's phone");
    await panel.welcome.addClient.click();
    await panel.clients.qrCode("Anna's phone").waitFor();
    await takeScreenshot(host.page, "walk-3-code");
  });

  it("sees the guest connected, with live traffic, who took the configuration that was shown", async () => {
    const configuration = await panel.clients.shownConfiguration("Anna's phone");
    expect(configuration).toContain(WAN.customer.ipv4);
    await panel.clients.closeDialog();
    await panel.welcome.finish.click();
    await expectText(panel.overview.headline, "Sharing.");
    await guest.up(configuration);
    await guest.waitForHandshake();
    expect((await guest.fetch(PAGE)).status).toBe(200);
    await panel.goTo("clients");
    await expectText(panel.clients.row("Anna's phone"), "Connected");
    await using download = stopped(guest.startFetch(DOWNLOAD, { timeoutMs: 60_000 }));
    await expect.poll(() => panel.clients.row("Anna's phone").innerText(), SOON).toMatch(A_RATE);
    await takeScreenshot(host.page, "walk-4-clients");
    await panel.goTo("overview");
    await expectText(panel.overview.headline, "1 person connected");
    await expect.poll(() => panel.overview.chart.getAttribute("aria-label"), SOON).toMatch(A_RATE);
    await takeScreenshot(host.page, "walk-5-overview");
    expect(download.transfer.receivedBytes).toBeGreaterThan(0);
  });

  it("sees how the internet reaches the node", async () => {
    await panel.goTo("network");
    await expectText(panel.network.mapping, `${WAN.customer.ipv4}:51820`);
    await expectText(panel.network.answer, "A direct way in seems to be open");
    await takeScreenshot(host.page, "walk-6-network");
  });

  it("sets limits that hold", async () => {
    await panel.goTo("clients");
    await panel.clients.button("limits", "Anna's phone").click();
    await panel.clients.speedField("down").fill("10");
    await panel.clients.speedField("up").fill("5");
    await takeScreenshot(host.page, "walk-7-limits");
    await panel.clients.saveLimits();
    await panel.notice("The limits of Anna's phone are in force.").waitFor();
    const listed: unknown = JSON.parse(await host.node.mustRun(["limit", "list", "--json"]));
    expect(listed).toMatchObject([{ name: "Anna's phone", limit: { down: "10mbit", up: "5mbit", state: "limited" } }]);
  });

  it("decides what is kept, and has it deleted with proof", async () => {
    await panel.goTo("privacy");
    await panel.privacy.switch("logDNS").click();
    await panel.privacy.switch("logTraffic").click();
    await expectText(panel.privacy.answer, "amounts per minute");
    await panel.privacy.retention.fill("3");
    await panel.privacy.saveRetention();
    await expectText(host.page.getByRole("main"), "Deleted after 3 days.");
    const shown: unknown = JSON.parse(await host.node.mustRun(["privacy", "show", "--json"]));
    expect(shown).toMatchObject({ settings: { logDNS: true, logTraffic: true, maxLogRetention: 3 } });
    expect((await guest.fetch(PAGE)).status).toBe(200);
    await panel.privacy.chooseKind("dns");
    const reload = panel.privacy.log.getByRole("button", { name: panel.t("privacy.log.refresh") });
    await expect
      .poll(async () => {
        if (await reload.isEnabled()) await reload.click();
        return panel.privacy.log.innerText();
      }, SOON)
      .toContain(WEB_NAME);
    await takeScreenshot(host.page, "walk-8-privacy");
    await panel.privacy.purge();
    await expectText(panel.dialog, "Counted right before and right after");
    await takeScreenshot(host.page, "walk-9-proof");
    await panel.clients.closeDialog();
    const log: unknown = JSON.parse(await host.node.mustRun(["privacy", "log", "--json", "--kind", "dns"]));
    expect(JSON.stringify(log)).not.toContain(WEB_NAME);
  });

  it("has everything checked, with progress, and a report to read before it is given away", async () => {
    await panel.goTo("health");
    await panel.health.runDiagnosis.click();
    await panel.health.progress.waitFor();
    await panel.health.runAgain.waitFor({ timeout: 90_000 });
    await expectText(panel.health.diagnosis, "Passed");
    await takeScreenshot(host.page, "walk-10-health");
    await panel.health.makeReport();
    await panel.health.reportText.waitFor({ timeout: 60_000 });
    const report = await panel.health.reportText.inputValue();
    expect(report.length).toBeGreaterThan(500);
    expect(report).not.toContain(WAN.customer.ipv4);
    expect(report).not.toContain("Anna");
  });

  it("reads it in Russian, as does the rest of the node", async () => {
    await panel.goTo("settings");
    await panel.settings.language.selectOption("ru");
    const russian = new Panel(host.page, "ru");
    await russian.screen("settings").waitFor();
    await russian.goTo("overview");
    await expectText(russian.overview.headline, "Доступ открыт.");
    await takeScreenshot(host.page, "walk-11-russian");
    expect(await host.node.mustRun(["settings", "show", "--json"])).toMatch(/"language": ?"ru"/);
    await russian.goTo("settings");
    await russian.settings.language.selectOption("en");
    await panel.screen("settings").waitFor();
  });

  it("sees what is changed elsewhere", async () => {
    await panel.goTo("clients");
    await host.node.mustRun(["client", "add", "Boris"]);
    await panel.clients.row("Boris").waitFor();
    await host.node.mustRun(["client", "remove", "Boris"]);
    await expectNone(panel.clients.row("Boris"));
  });

  it("gets the network back as it was", async () => {
    await panel.goTo("settings");
    await panel.settings.restoreNetwork();
    await expectText(panel.settings.restore, "Your network is as it was before.");
    await panel.goTo("overview");
    await expectText(panel.overview.headline, "Not sharing");
    expect(NetworkSnapshot.diff(before, await NetworkSnapshot.take(host.lab.host("node")))).toEqual([]);
  });

  it("is told when the node is gone, and the browser had nothing to complain of until then", async () => {
    expect(host.complaints).toEqual([]);
    await host.node.stop();
    await expectText(panel.alerts, "The connection to the node is lost");
    await guest.down();
  });

  it("goes the same way with the keyboard alone", async () => {
    const { page } = host;
    await page.goto(await host.startNew());
    await tabTo(page, panel.welcome.share);
    await page.keyboard.press("Enter");
    await expectText(page.getByRole("status"), "Sharing is on.");
    for (const step of ["Probably. An address is known.", "Give it a name"]) {
      await tabTo(page, panel.welcome.next);
      await page.keyboard.press("Enter");
      await expectText(page.getByRole("main"), step);
    }
    await tabTo(page, panel.welcome.clientName);
    await page.keyboard.type("Keyboard");
    await page.keyboard.press("Enter");
    await panel.clients.qrCode("Keyboard").waitFor();
    const unfold = panel.clients.configuration("Keyboard").locator("summary");
    await tabTo(page, unfold);
    await page.keyboard.press("Enter");
    const configuration = await panel.clients.configuration("Keyboard").locator("pre").innerText();
    await page.keyboard.press("Escape");
    await expectNone(panel.dialog);
    await tabTo(page, panel.welcome.finish);
    await page.keyboard.press("Space");
    await guest.up(configuration);
    await guest.waitForHandshake();
    await tabTo(page, panel.link("clients"));
    await page.keyboard.press("Enter");
    await expectText(panel.clients.row("Keyboard"), "Connected");
    await tabTo(page, panel.clients.button("limits", "Keyboard"));
    await page.keyboard.press("Enter");
    await tabTo(page, panel.clients.speedSlider("down"));
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowRight");
    await tabTo(page, panel.clients.dialog.getByRole("button", { name: panel.t("clients.limit.save") }));
    await page.keyboard.press("Enter");
    await expectNone(panel.dialog);
    await expectText(panel.clients.row("Keyboard"), "down");
    await tabTo(page, panel.link("overview"));
    await page.keyboard.press("Enter");
    await tabTo(page, panel.overview.shareSwitch);
    await page.keyboard.press("Space");
    await expectText(panel.overview.headline, "Not sharing");
  });
});

/** Ends with the block it is in. */
function stopped<T extends { stop(): Promise<void> }>(transfer: T): { transfer: T } & AsyncDisposable {
  return { transfer, [Symbol.asyncDispose]: () => transfer.stop() };
}
