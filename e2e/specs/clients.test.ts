import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aClient, CONFIGURATION, manyClients, someClients } from "../hosts/scripted-clients.ts";
import { PHONE, ScriptedHost } from "../hosts/scripted-host.ts";
import { aWorld } from "../hosts/scripted-states.ts";
import { relayed } from "../hosts/scripted-ways.ts";
import { expectNone, expectText, SOON } from "./expect-text.ts";

const HASH = "#/clients";

describe("the list of clients", () => {
  let host: ScriptedHost;
  beforeAll(async () => {
    host = await ScriptedHost.start();
  });
  afterAll(() => host?.close());

  it("says what fills it while it is empty, and is filled from there", async () => {
    const { panel, node, complaints } = await host.open(aWorld({ clients: [] }), { hash: HASH });
    await expectText(panel.page.getByRole("main"), "Nobody has been given access yet");
    await panel.clients.add("Anna's phone");
    expect(node.inputsOf("clients.add")).toEqual([{ name: "Anna's phone" }]);
    await panel.clients.closeDialog();
    await panel.clients.row("Anna's phone").waitFor();
    expect(complaints).toEqual([]);
  });

  it.each([
    ["Anna's phone", ["Connected", "directly", "9.9 Mbit/s", "43.0 GB of 50.0 GB", "Up to 10.0 Mbit/s down"]],
    ["Boris", ["Connected", "through the relay"]],
    ["Living room TV", ["Not connected", "yesterday|1 day ago"]],
    ["Lena", ["Paused"]],
    ["Old laptop", ["Quota used up", "50.0 GB of 50.0 GB"]],
    ["Office", ["Outside its hours", "at set hours"]],
  ])("says of %s what its owner wants to know", async (name, texts) => {
    const { panel } = await host.open(aWorld(), { hash: HASH });
    const row = panel.clients.row(name);
    await row.waitFor();
    const said = (await row.innerText()).replace(/\s+/g, " ");
    for (const text of texts) expect(said).toMatch(new RegExp(text));
  });

  it("shows a configuration as code and as text, and saves it as a file", async () => {
    const { panel, page } = await host.open(aWorld(), { hash: HASH });
    await panel.clients.button("show", "Boris").click();
    await panel.clients.qrCode("Boris").waitFor();
    expect((await panel.clients.shownConfiguration("Boris")).trim()).toBe(CONFIGURATION.trim());
    const save = panel.clients.dialog.getByRole("button", { name: "Save file" });
    const [download] = await Promise.all([page.waitForEvent("download"), save.click()]);
    expect(download.suggestedFilename()).toMatch(/^[\w-]+\.conf$/);
    expect(readFileSync(await download.path(), "utf8")).toBe(CONFIGURATION);
  });

  it("takes the relay's way where nobody gets in directly, and the other on request", async () => {
    const { panel, node } = await host.open(aWorld({ node: relayed() }), { hash: HASH });
    await panel.clients.button("show", "Boris").click();
    await panel.clients.qrCode("Boris").waitFor();
    await panel.clients.dialog.getByRole("radio", { name: "Directly" }).check();
    await expect.poll(() => node.inputsOf("clients.config"), SOON).toHaveLength(2);
    expect(node.inputsOf("clients.config")).toMatchObject([{ via: "relay" }, { via: "direct" }]);
  });

  it("asks before it replaces a key that was forgotten", async () => {
    const { panel, node } = await host.open(aWorld(), { hash: HASH });
    const client = node.world.clients[1] ?? aClient();
    node.refuse("clients.config", { code: "key-forgotten", message: "The private key of Boris was not kept." });
    await panel.clients.button("show", "Boris").click();
    await expectText(panel.dialog, "Make a new code for Boris?");
    node.answer("clients.config", async () => ({ client, config: CONFIGURATION }));
    await panel.dialog.getByRole("button", { name: "Make a new code" }).click();
    await panel.clients.qrCode("Boris").waitFor();
    expect(node.inputsOf("clients.config").at(-1)).toMatchObject({ newKey: true });
  });

  it("pauses and lets in again", async () => {
    const { panel, node } = await host.open(aWorld(), { hash: HASH });
    await panel.clients.button("pause", "Boris").click();
    await expectText(panel.clients.row("Boris"), "Paused");
    await panel.clients.button("resume", "Boris").click();
    await expectText(panel.clients.row("Boris"), "Connected");
    expect(node.asked.map(({ name }) => name)).toEqual(expect.arrayContaining(["clients.pause", "clients.resume"]));
  });

  it("says what will happen before it removes somebody, and does nothing on Cancel", async () => {
    const { panel, node } = await host.open(aWorld(), { hash: HASH });
    await panel.clients.button("remove", "Boris").click();
    await expectText(panel.dialog, "Its configuration stops working at once");
    await panel.dialog.getByRole("button", { name: "Cancel" }).click();
    await expectNone(panel.dialog);
    expect(node.inputsOf("clients.remove")).toEqual([]);
    await panel.clients.button("remove", "Boris").click();
    await panel.dialog.getByRole("button", { name: "Remove client" }).click();
    await expectNone(panel.clients.row("Boris"));
    await panel.notice("Boris was removed.").waitFor();
  });

  it("refuses a name that cannot be one, and one that is taken", async () => {
    const { panel, node } = await host.open(aWorld(), { hash: HASH });
    await panel.clients.addButton.click();
    await panel.clients.nameField.fill("<script>");
    await panel.page.keyboard.press("Enter");
    await expectText(panel.dialog.getByRole("alert"), "Begin with a letter or digit");
    expect(node.inputsOf("clients.add")).toEqual([]);
    await panel.clients.nameField.fill("boris");
    await panel.page.keyboard.press("Enter");
    await expectText(panel.dialog.getByRole("alert"), "There is a client of this name already");
  });

  it("sets speed, data and hours", async () => {
    const { panel, node } = await host.open(aWorld(), { hash: HASH });
    await panel.clients.button("limits", "Living room TV").click();
    await panel.clients.speedField("down").fill("12.5");
    await panel.clients.speedSlider("up").press("Home");
    await panel.clients.chooseLimits("data");
    await panel.dialog.getByRole("switch", { name: "Limit the data per month" }).click();
    await panel.dialog.getByRole("textbox", { name: "Data per month" }).fill("80");
    await panel.clients.chooseLimits("hours");
    await panel.dialog.getByRole("switch", { name: "Set hours of the week" }).click();
    await panel.dialog.getByRole("button", { name: "Mark weekdays 8 to 18" }).click();
    await panel.clients.saveLimits();
    await panel.notice("The limits of Living room TV are in force.").waitFor();
    const [{ name, changes }] = node.inputsOf("limits.set") as [{ name: string; changes: Record<string, unknown> }];
    expect(name).toBe("c3");
    expect(changes).toMatchObject({ down: "12500kbit", up: expect.stringMatching(/bit$/) });
    expect(changes.quota).toMatchObject({ bytes: 80e9, action: "pause" });
    expect(changes.schedule).toMatchObject({ timeZone: "Europe/Berlin", windows: [{ from: "08:00", to: "18:00" }] });
  });

  it("says what is wrong with a limit, on the part where it is", async () => {
    const { panel, node } = await host.open(aWorld(), { hash: HASH });
    await panel.clients.button("limits", "Boris").click();
    await panel.clients.speedField("down").fill("fast");
    await panel.clients.chooseLimits("hours");
    await panel.clients.saveLimits();
    await expectText(panel.dialog.getByRole("alert"), "Enter a speed");
    expect(node.inputsOf("limits.set")).toEqual([]);
  });

  it("keeps the dialog open where the node refuses a limit, with the reason", async () => {
    const { panel, node } = await host.open(aWorld(), { hash: HASH });
    node.refuse("limits.set", { code: "helper-lost", message: "The privileged helper is not running." });
    await panel.clients.button("limits", "Boris").click();
    await panel.clients.speedField("down").fill("3");
    await panel.clients.saveLimits();
    await expectText(panel.dialog, "The privileged helper is not running");
  });

  it("measures whether a limit holds", async () => {
    const { panel } = await host.open(aWorld(), { hash: HASH });
    await panel.clients.button("limits", "Anna's phone").click();
    await panel.dialog.getByRole("button", { name: "Measure now" }).click();
    await expectText(panel.dialog, "9.8 Mbit/s measured, 10.0 Mbit/s allowed. The limit holds.");
  });

  it("is sorted by what the owner chooses", async () => {
    const { panel } = await host.open(aWorld(), { hash: HASH });
    await panel.clients.list.waitFor();
    expect((await panel.clients.names())[0]).toBe("Anna's phone");
    await panel.clients.sortBy.selectOption("rate");
    await expect.poll(() => panel.clients.names(), SOON).toMatchObject({ 0: "Anna's phone", 1: "Boris" });
    await panel.page.getByRole("columnheader").getByRole("button", { name: "Name" }).click();
    await panel.page.getByRole("columnheader").getByRole("button", { name: "Name" }).click();
    await expect.poll(async () => (await panel.clients.names())[0], SOON).not.toBe("Anna's phone");
  });

  it("has a thousand clients, draws those on screen, and finds one by its name", async () => {
    const { panel, node, complaints } = await host.open(aWorld({ clients: manyClients(1_000) }), { hash: HASH });
    await expectText(panel.page.getByRole("main"), "1000 clients");
    expect((await panel.clients.names()).length).toBeLessThan(60);
    await panel.page.keyboard.press("End");
    await panel.clients.row("Client 0999").waitFor();
    await panel.clients.filter.fill("0777");
    await expectText(panel.page.getByRole("main"), "1 of 1000 clients");
    expect(await panel.clients.names()).toEqual(["Client 0777"]);
    node.changeClients([{ ...(node.world.clients[777] ?? aClient()), paused: true }]);
    await expectText(panel.clients.row("Client 0777"), "Paused");
    await panel.clients.filter.fill("nobody");
    await expectText(panel.page.getByRole("main"), "No client matches “nobody”");
    await panel.page.getByRole("button", { name: "Show all" }).click();
    await panel.clients.row("Client 0000").waitFor();
    expect(node.inputsOf("clients.list")).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it("is a list of cards on a phone, where everything can be done too", async () => {
    const { panel } = await host.open(aWorld(), { viewport: PHONE, hash: HASH });
    await panel.clients.row("Boris").waitFor();
    await panel.clients.button("limits", "Boris").click();
    await panel.clients.speedField("down").fill("2");
    await panel.clients.saveLimits();
    await panel.notice("The limits of Boris are in force.").waitFor();
  });

  it("says on the form that a client could not be added, and keeps what was written", async () => {
    const { panel, node } = await host.open(aWorld({ clients: someClients() }), { hash: HASH });
    node.refuse("clients.add", { code: "storage-failed", message: "The database cannot be read: disk full." });
    await panel.clients.addButton.click();
    await panel.clients.nameField.fill("Greta");
    await panel.page.keyboard.press("Enter");
    await expectText(panel.dialog.getByRole("alert"), "disk full");
    expect(await panel.clients.nameField.inputValue()).toBe("Greta");
  });
});
