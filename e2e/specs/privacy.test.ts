import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ScriptedHost } from "../hosts/scripted-host.ts";
import { aWorld, PRIVACY, STOPPED } from "../hosts/scripted-states.ts";
import { expectNone, expectText, SOON } from "./expect-text.ts";

const HASH = "#/privacy";

describe("the privacy screen", () => {
  let host: ScriptedHost;
  beforeAll(async () => {
    host = await ScriptedHost.start();
  });
  afterAll(() => host?.close());

  it("answers what is kept, how exactly and for how long", async () => {
    const { panel, complaints } = await host.open(aWorld(), { hash: HASH });
    await expectText(panel.privacy.answer, "Recorded: connections.");
    await expectText(panel.page.getByRole("main"), "Deleted after 7 days.");
    await expectText(panel.page.getByRole("main"), "Addresses are shortened");
    await expectText(panel.privacy.stored, "12,345");
    await expectText(panel.privacy.guests, "Blocked");
    expect(complaints).toEqual([]);
  });

  it.each([
    ["nothing, where nothing is switched on", { settings: { ...PRIVACY.settings, logMetadata: false } }, "Nothing is"],
    [
      "that it should record and cannot",
      { connectionLog: { state: "unavailable", error: { code: "conntrack-missing", message: "Not installed." } } },
      "Connections should be recorded, but cannot be",
    ],
    ["what is missing from it", { lost: { kernel: 12, notWritten: 3 } }, "15 connections are missing"],
  ] as const)("says %s", async (_, changes, text) => {
    const { panel } = await host.open(aWorld({ privacy: { ...PRIVACY, ...changes } }), { hash: HASH });
    await expectText(panel.page.getByRole("main"), text);
  });

  it("says that recording begins with sharing", async () => {
    const privacy = { ...PRIVACY, connectionLog: { state: "waiting" } } as const;
    const { panel } = await host.open(aWorld({ node: STOPPED, privacy }), { hash: HASH });
    await expectText(panel.privacy.answer, "Recording begins once you share");
  });

  it("switches what is recorded at once, and goes back where the node refuses", async () => {
    const { panel, node } = await host.open(aWorld(), { hash: HASH });
    await panel.privacy.switch("logDNS").click();
    await expectText(panel.privacy.answer, "names looked up");
    expect(node.inputsOf("privacy.set")).toEqual([{ changes: { logDNS: true } }]);
    node.refuse("privacy.set", { code: "storage-failed", message: "The database cannot be read: disk full." });
    await panel.privacy.switch("logTraffic").click();
    await expectText(panel.page.getByRole("alert"), "disk full");
    expect(await panel.privacy.switch("logTraffic").getAttribute("aria-checked")).toBe("false");
  });

  it("takes days that make sense, and no others", async () => {
    const { panel, node } = await host.open(aWorld(), { hash: HASH });
    await panel.privacy.retention.fill("900");
    await panel.privacy.saveRetention();
    await expectText(panel.page.getByRole("alert"), "A whole number from 1 to 365");
    await panel.privacy.retention.fill("3");
    await panel.privacy.saveRetention();
    await expectText(panel.page.getByRole("main"), "Deleted after 3 days.");
    expect(node.inputsOf("privacy.set")).toEqual([{ changes: { maxLogRetention: 3 } }]);
  });

  it("pauses recording and resumes it", async () => {
    const { panel } = await host.open(aWorld(), { hash: HASH });
    await panel.privacy.pause.click();
    await expectText(panel.privacy.answer, "Recording is paused");
    await panel.privacy.resume.click();
    await expectText(panel.privacy.answer, "Recorded: connections.");
  });

  it("deletes everything after a question, and proves it", async () => {
    const { panel, node } = await host.open(aWorld(), { hash: HASH });
    await expectText(panel.privacy.log, "93.184.215.0/24");
    await panel.privacy.purge();
    await expectText(panel.dialog, "Everything was deleted");
    await expectText(panel.dialog.getByRole("row", { name: /Connections/ }), "12,345");
    await panel.dialog.getByRole("button", { name: "Close", exact: true }).last().click();
    await expectNone(panel.dialog);
    await expectText(panel.privacy.log, "Nothing is recorded");
    expect(node.inputsOf("privacy.purge")).toHaveLength(1);
  });

  it("deletes nothing where the owner thinks better of it", async () => {
    const { panel, node } = await host.open(aWorld(), { hash: HASH });
    await panel.page.getByRole("button", { name: "Delete everything now" }).click();
    await expectText(panel.dialog, "This cannot be undone");
    await panel.dialog.getByRole("button", { name: "Cancel" }).click();
    await expectNone(panel.dialog);
    expect(node.inputsOf("privacy.purge")).toEqual([]);
  });

  it("shows the record of each kind, and finds in it", async () => {
    const { panel, node } = await host.open(aWorld(), { hash: HASH });
    await expectText(panel.privacy.log, "Removed client");
    await panel.privacy.search.fill("icmp");
    await expectText(panel.privacy.log, "1 record shown");
    await panel.privacy.search.fill("nothing like it");
    await expectText(panel.privacy.log, "Nothing matches");
    await panel.privacy.search.fill("");
    await panel.privacy.chooseKind("dns");
    await expectText(panel.privacy.log, "www.example.org");
    await panel.privacy.chooseKind("traffic");
    await expectText(panel.privacy.log, "3.7 MiB");
    expect(node.inputsOf("privacy.log").at(-1)).toMatchObject({ kind: "traffic" });
  });

  it("exports what is chosen as a file", async () => {
    const { panel, page } = await host.open(aWorld(), { hash: HASH });
    const button = panel.privacy.log.getByRole("button", { name: "JSON lines" });
    const [download] = await Promise.all([page.waitForEvent("download"), button.click()]);
    const lines = readFileSync(await download.path(), "utf8")
      .trim()
      .split("\n");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ kind: "connections" }, { kind: "connections" }]);
  });

  it("blocks what guests must not reach, with exceptions of the owner's", async () => {
    const { panel, node } = await host.open(aWorld(), { hash: HASH });
    await panel.privacy.preset("strict").check();
    await expect.poll(() => node.world.settings.blockedPorts, SOON).toBe("strict");
    await panel.privacy.guests.getByText("Add an exception").click();
    const address = panel.privacy.guests.getByRole("textbox", { name: "Address or network" });
    await address.fill("not an address");
    await panel.privacy.guests.getByRole("button", { name: "Add", exact: true }).click();
    await expectText(panel.privacy.guests.getByRole("alert"), "An address such as");
    await address.fill("192.168.1.20");
    await panel.privacy.guests.getByRole("button", { name: "Add", exact: true }).click();
    await panel.privacy.guests.getByRole("button", { name: /Remove the exception 192\.168\.1\.20/ }).waitFor();
    expect(node.world.settings.allowedDestinations).toEqual([{ destination: "192.168.1.20/32" }]);
  });
});
