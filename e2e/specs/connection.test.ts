import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { someClients } from "../hosts/scripted-clients.ts";
import { ScriptedHost } from "../hosts/scripted-host.ts";
import { aWorld, STOPPED } from "../hosts/scripted-states.ts";
import { expectNone, expectText, SOON } from "./expect-text.ts";

describe("the connection to the node", () => {
  let host: ScriptedHost;
  beforeAll(async () => {
    host = await ScriptedHost.start();
  });
  afterAll(() => host?.close());

  it("says so when it is lost, keeps what is known, and lets nothing be done until it is back", async () => {
    const { panel, node } = await host.open();
    await expectText(panel.overview.headline, "Sharing.");
    await node.goAway();
    await expectText(panel.alerts, "The connection to the node is lost");
    await expectText(panel.overview.headline, "Sharing.");
    expect(await panel.overview.shareSwitch.isDisabled()).toBe(true);
    node.world.node = STOPPED;
    node.comeBack();
    await expectText(panel.overview.headline, "Not sharing");
    await expectNone(panel.alerts);
    expect(await panel.overview.shareSwitch.isDisabled()).toBe(false);
  });

  it("takes the state of another run of the node, whatever its revision", async () => {
    const { panel, node } = await host.open(aWorld(), { hash: "#/clients" });
    await panel.clients.row("Boris").waitFor();
    for (let change = 0; change < 20; change++) node.setSettings({});
    await node.goAway();
    node.world.clients = someClients().filter(({ name }) => name !== "Boris");
    node.comeBack();
    await expectNone(panel.clients.row("Boris"));
  });

  it("asks for the list where a change builds on one it does not have", async () => {
    const { panel, node } = await host.open(aWorld(), { hash: "#/clients" });
    await panel.clients.row("Boris").waitFor();
    node.emit("clients.delta", { run: "run-1", base: 77, revision: 78, changed: [], removed: ["c2"] });
    await expect.poll(() => node.inputsOf("clients.list"), SOON).toHaveLength(1);
    await panel.clients.row("Boris").waitFor();
  });

  it("waits for a node that is not there yet", async () => {
    const { panel, node } = await host.open();
    await node.goAway();
    await panel.page.reload();
    await expectText(panel.overview.headline, "The connection to the node is lost");
    node.comeBack();
    await expectText(panel.overview.headline, "Sharing.");
  });

  it("says that a call was lost with it", async () => {
    const { panel, node } = await host.open(aWorld({ node: STOPPED }));
    node.hold("node.on");
    await panel.overview.shareSwitch.click();
    await expect.poll(() => node.inputsOf("node.on"), SOON).toHaveLength(1);
    await node.goAway();
    await expectText(panel.alerts.last(), "the connection to the node is lost");
  });

  it("asks nothing that the contract does not have", async () => {
    const { panel, node } = await host.open();
    for (const screen of ["clients", "network", "privacy", "health", "settings", "overview"] as const) {
      await panel.goTo(screen);
    }
    expect(node.nonsense).toEqual([]);
  });
});
