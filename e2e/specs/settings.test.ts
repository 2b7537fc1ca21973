import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ScriptedHost } from "../hosts/scripted-host.ts";
import { aWorld } from "../hosts/scripted-states.ts";
import { Panel } from "../pages/panel.ts";
import { expectNone, expectText, SOON } from "./expect-text.ts";

const HASH = "#/settings";

describe("the settings", () => {
  let host: ScriptedHost;
  beforeAll(async () => {
    host = await ScriptedHost.start();
  });
  afterAll(() => host?.close());

  it("speak Russian as soon as that is chosen, on every screen, and English again", async () => {
    const { panel, page, complaints } = await host.open(aWorld(), { hash: HASH });
    await panel.settings.language.selectOption("ru");
    const russian = new Panel(page, "ru");
    await russian.screen("settings").waitFor();
    expect(await page.evaluate(() => document.documentElement.lang)).toBe("ru");
    await russian.goTo("clients");
    await expectText(russian.clients.row("Boris"), "Подключён");
    await russian.goTo("settings");
    await russian.settings.language.selectOption("en");
    await panel.screen("settings").waitFor();
    expect(complaints).toEqual([]);
  });

  it("are dark as soon as that is chosen, and as on this computer by default", async () => {
    const { panel, page } = await host.open(aWorld(), { hash: HASH });
    const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    await panel.screen("settings").waitFor();
    const light = await background();
    await panel.settings.theme.selectOption("dark");
    await expect.poll(background, SOON).not.toBe(light);
    const dark = await background();
    await panel.settings.theme.selectOption("system");
    await page.emulateMedia({ colorScheme: "dark" });
    await expect.poll(background, SOON).toBe(dark);
    await page.emulateMedia({ colorScheme: "light" });
    await expect.poll(background, SOON).toBe(light);
  });

  it("say what this host cannot do", async () => {
    const { panel } = await host.open(aWorld(), { hash: HASH });
    await expectText(panel.page.getByRole("main"), "This node runs without a window");
    expect(await panel.settings.startAtLogin.isDisabled()).toBe(true);
  });

  it("start at login where the host can", async () => {
    const { panel, node } = await host.open(aWorld(), { hash: "#/overview" });
    node.answer("host.facts", async () => ({ kind: "desktop", canStartAtLogin: true, canKeepAwake: true }));
    await panel.goTo("settings");
    await panel.settings.startAtLogin.click();
    await expect.poll(() => node.world.settings.startAtLogin, SOON).toBe(true);
  });

  it("take a port that is one, say what is wrong with another, and undo", async () => {
    const { panel, node } = await host.open(aWorld(), { hash: HASH });
    await panel.settings.listenPort.fill("99999");
    await panel.settings.save(panel.settings.way).click();
    await expectText(panel.settings.way.getByRole("alert"), "A whole number from 1 to 65535");
    expect(node.inputsOf("settings.set")).toEqual([]);
    await panel.settings.listenPort.fill("51821");
    await expectText(panel.settings.way, "Guests are disconnected for a moment");
    await panel.settings.save(panel.settings.way).click();
    await expectNone(panel.settings.save(panel.settings.way));
    expect(node.inputsOf("settings.set")).toEqual([{ changes: { listenPort: 51_821 } }]);
    await panel.settings.publicEndpoint.fill("home.example.org:51821");
    await panel.settings.way.getByRole("button", { name: "Undo changes" }).click();
    expect(await panel.settings.publicEndpoint.inputValue()).toBe("");
  });

  it("show what the node said against a change, and what holds", async () => {
    const { panel, node } = await host.open(aWorld(), { hash: HASH });
    node.refuse("settings.set", { code: "settings-refused", message: "UDP 51821 is used by another program." });
    await panel.settings.listenPort.fill("51821");
    await panel.settings.save(panel.settings.way).click();
    await expectText(panel.settings.way, "UDP 51821 is used by another program");
    await panel.settings.portMapping.click();
    await expectText(panel.settings.way.getByRole("alert"), "used by another program");
    expect(await panel.settings.portMapping.getAttribute("aria-checked")).toBe("true");
  });

  it("name relays, encrypted ones", async () => {
    const { panel, node } = await host.open(aWorld(), { hash: HASH });
    await panel.settings.relayServers.fill("ws://relay.example.org");
    await panel.settings.save(panel.settings.relay).click();
    await expectText(panel.settings.relay.getByRole("alert"), "is not encrypted");
    await panel.settings.relayServers.fill("wss://relay.example.org\nwss://other.example.org");
    await panel.settings.save(panel.settings.relay).click();
    await expect
      .poll(() => node.world.settings.relayServers, SOON)
      .toEqual(["wss://relay.example.org", "wss://other.example.org"]);
  });

  it("restore the network after a question, and say what is left", async () => {
    const { panel, node } = await host.open(aWorld(), { hash: HASH });
    await panel.settings.restoreNetwork();
    await expectText(panel.settings.restore, "Your network is as it was before.");
    expect(node.world.node.node.phase).toBe("stopped");
    node.answer("node.restoreNetwork", async () => ({ left: ["the chain HIGGS-FORWARD"] }));
    await panel.settings.restoreNetwork();
    await expectText(panel.settings.restore, "the chain HIGGS-FORWARD");
  });

  it("say that restoring the network failed", async () => {
    const { panel, node } = await host.open(aWorld(), { hash: HASH });
    node.refuse("node.restoreNetwork", { code: "not-permitted", message: "This needs root." });
    await panel.settings.restoreNetwork();
    await expectText(panel.settings.restore, "This needs root.");
  });

  it("follow what is set elsewhere", async () => {
    const { panel, node } = await host.open(aWorld(), { hash: HASH });
    await panel.screen("settings").waitFor();
    node.setSettings({ listenPort: 40_000, portMapping: "off" });
    await expect.poll(() => panel.settings.listenPort.inputValue(), SOON).toBe("40000");
    await expect.poll(() => panel.settings.portMapping.getAttribute("aria-checked"), SOON).toBe("false");
  });
});
