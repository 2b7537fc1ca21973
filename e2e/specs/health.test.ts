import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { degraded, ROUTES_GONE, recovering, waitingToRecover } from "../hosts/scripted-faults.ts";
import { ScriptedHost } from "../hosts/scripted-host.ts";
import { CHECKS, HISTORY, REPORT } from "../hosts/scripted-records.ts";
import { aWorld, STOPPED, sharing } from "../hosts/scripted-states.ts";
import { ago } from "../hosts/scripted-values.ts";
import { expectNone, expectText, SOON } from "./expect-text.ts";

const HASH = "#/health";

describe("the health screen", () => {
  let host: ScriptedHost;
  beforeAll(async () => {
    host = await ScriptedHost.start();
  });
  afterAll(() => host?.close());

  it("says that everything works, and since when", async () => {
    const { panel, complaints } = await host.open(aWorld(), { hash: HASH });
    await expectText(panel.health.answer, "Everything works.");
    await expectText(panel.health.fact("wireguard"), "Works");
    await expectText(panel.health.fact("wireguard"), "1 hour ago");
    await expectNone(panel.health.recovery);
    expect(complaints).toEqual([]);
  });

  it("watches nothing while sharing is off", async () => {
    const { panel } = await host.open(aWorld({ node: STOPPED }), { hash: HASH });
    await expectText(panel.health.answer, "Sharing is off");
    expect(await panel.health.selfTest.getByRole("button").isDisabled()).toBe(true);
  });

  it("shows the cause of a fault with its symptoms below it", async () => {
    const { panel } = await host.open(aWorld({ node: degraded() }), { hash: HASH });
    await expectText(panel.health.answer, "Something is broken.");
    await expectText(panel.health.fact("networkRoute"), "There is no default route.");
    await expectText(panel.health.fact("networkRoute"), "Guests have no connection meanwhile.");
    await expectText(panel.health.fact("networkRoute"), "1 thing fails because of this");
  });

  it("tells the repair under way, step by step, until all is well", async () => {
    const { panel, node } = await host.open(aWorld({ node: recovering(1) }), { hash: HASH });
    await expectText(panel.health.answer, "It is being repaired.");
    await expectText(panel.health.recovery, "Attempt 1: setting the network up again");
    node.setNode(waitingToRecover(1));
    await expectText(panel.health.recovery, "Attempt 1 did not help");
    await expectText(panel.health.recovery, "seconds");
    node.setNode(recovering(2));
    await expectText(panel.health.recovery, "Attempt 2");
    node.emit("health.recorded", {
      id: 99,
      at: ago(0),
      kind: "recovered",
      fact: "networkRoute",
      error: null,
      step: null,
      attempt: 2,
      durationMs: 41_000,
    });
    node.setNode(sharing());
    await expectText(panel.health.answer, "Everything works.");
    await expectNone(panel.health.recovery);
    await expectText(panel.health.history.getByRole("listitem").first(), "Repaired");
  });

  it("looks at everything on demand", async () => {
    const { panel, node } = await host.open(aWorld(), { hash: HASH });
    const release = node.hold("health.check");
    await panel.page.getByRole("button", { name: "Look now" }).click();
    await expectText(panel.page.getByRole("main"), "Looking…");
    release();
    await panel.page.getByRole("button", { name: "Look now" }).waitFor();
    expect(node.inputsOf("health.check")).toHaveLength(1);
  });

  it("runs all checks with progress, and says what to do about each that failed", async () => {
    const { panel, node } = await host.open(aWorld(), { hash: HASH });
    const release = node.hold("diagnose.run");
    await panel.health.runDiagnosis.click();
    for (const [at, check] of CHECKS.slice(0, 2).entries()) {
      node.emit("diagnose.progress", { done: at + 1, total: CHECKS.length, check });
    }
    await expectText(panel.health.diagnosis, "2 of 5 checks");
    release();
    await expectText(panel.health.diagnosis, "1 problem found.");
    await expectText(panel.health.diagnosis, "1 thing to look at.");
    await expectText(panel.health.diagnosis, "Not installed: conntrack.");
    await expectText(panel.health.diagnosis, "sudo apt install conntrack");
    await panel.health.diagnosis.getByRole("radio", { name: "Only what needs attention" }).check();
    await expectNone(panel.health.diagnosis.getByText("The kernel can translate addresses"));
  });

  it("stops the checks where the owner has waited long enough", async () => {
    const { panel, node } = await host.open(aWorld(), { hash: HASH });
    const release = node.hold("diagnose.run");
    await panel.health.runDiagnosis.click();
    await panel.health.cancelDiagnosis.click();
    await expect.poll(() => node.inputsOf("diagnose.cancel"), SOON).toHaveLength(1);
    release();
    await expectText(panel.health.diagnosis, "Cancelled.");
  });

  it("says that the checks could not run", async () => {
    const { panel, node } = await host.open(aWorld(), { hash: HASH });
    node.refuse("diagnose.run", { code: "diagnosis-busy", message: "Another test is under way." });
    await panel.health.runDiagnosis.click();
    await expectText(panel.health.diagnosis, "Another test is under way.");
  });

  it("is a guest for a moment, stage by stage", async () => {
    const { panel } = await host.open(aWorld(), { hash: HASH });
    await panel.health.selfTest.getByRole("button").click();
    await expectText(panel.health.selfTest, "A guest has everything needed.");
    await expectText(panel.health.selfTest, "Nothing is left.");
  });

  it("follows a packet through every rule", async () => {
    const { panel, node } = await host.open(aWorld(), { hash: HASH });
    await panel.health.trace.getByRole("textbox", { name: "Address to reach" }).fill("example.org");
    await panel.health.trace.getByRole("button", { name: "Follow the packet" }).click();
    await expectText(panel.health.trace.getByRole("alert"), "An address such as");
    expect(node.inputsOf("diagnose.trace")).toEqual([]);
    await panel.health.trace.getByRole("textbox", { name: "Address to reach" }).fill("203.0.113.5");
    await panel.health.trace.getByRole("button", { name: "Follow the packet" }).click();
    await expectText(panel.health.trace, "It is stopped");
    await expectText(panel.health.trace, "Docker");
    expect(node.inputsOf("diagnose.trace")).toEqual([{ client: "c1", to: "203.0.113.5", port: 443, protocol: "tcp" }]);
  });

  it("shows the report before anybody gets it, and saves it", async () => {
    const { panel, page } = await host.open(aWorld(), { hash: HASH });
    await panel.health.makeReport();
    await expect.poll(() => panel.health.reportText.inputValue(), SOON).toBe(REPORT.text);
    const save = panel.health.report.getByRole("button", { name: "Save as text" });
    const [download] = await Promise.all([page.waitForEvent("download"), save.click()]);
    expect(readFileSync(await download.path(), "utf8")).toBe(REPORT.text);
    await panel.health.report.getByRole("button", { name: "Discard" }).click();
    await expectNone(panel.health.reportText);
  });

  it("tells what has happened, the older on demand, and how much of the time it worked", async () => {
    const { panel } = await host.open(aWorld(), { hash: HASH });
    await expectText(panel.health.uptime, "over 30 days");
    const entries = panel.health.history.getByRole("listitem");
    await expect.poll(() => entries.count(), SOON).toBe(10);
    await panel.health.history.getByRole("button", { name: "Show older" }).click();
    await expect.poll(() => entries.count(), SOON).toBe(HISTORY.length);
    await expectText(panel.health.history, ROUTES_GONE.message);
  });

  it("says that nothing has gone wrong so far", async () => {
    const { panel, node } = await host.open(aWorld(), { hash: "#/overview" });
    node.answer("health.history", async () => ({ events: [], more: false }));
    node.answer("health.uptime", async () => []);
    await panel.goTo("health");
    await expectText(panel.health.history, "Nothing has gone wrong so far.");
    await expectText(panel.health.uptime, "Nothing has been measured yet.");
  });
});
