import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { failed, HELPER_REFUSED, NO_NETWORK } from "../hosts/scripted-faults.ts";
import { ScriptedHost } from "../hosts/scripted-host.ts";
import { newWorld, sharing, starting } from "../hosts/scripted-states.ts";
import { ago } from "../hosts/scripted-values.ts";
import { carrierNat, relayed } from "../hosts/scripted-ways.ts";
import { expectText, SOON } from "./expect-text.ts";

describe("the welcome", () => {
  let host: ScriptedHost;
  beforeAll(async () => {
    host = await ScriptedHost.start();
  });
  afterAll(() => host?.close());

  it("comes by itself on the first day, and leads to a first client in three steps", async () => {
    const { panel, node, complaints } = await host.open(newWorld(), { hash: "" });
    await panel.welcome.title.waitFor();
    await panel.welcome.share.click();
    await expectText(panel.page.getByRole("status"), "Sharing is on.");
    expect(await panel.welcome.isDone("permission")).toBe(true);
    await panel.welcome.next.click();
    await expectText(panel.page.getByRole("status"), "Yes. Guests reach you directly.");
    await panel.welcome.next.click();
    await panel.welcome.clientName.fill("Anna's phone");
    await panel.welcome.addClient.click();
    await panel.clients.qrCode("Anna's phone").waitFor();
    await panel.clients.closeDialog();
    await expectText(panel.page.getByRole("main"), "1 client has access.");
    await panel.welcome.finish.click();
    await expectText(panel.overview.headline, "Sharing.");
    expect(node.world.settings.welcomed).toBe(true);
    expect(complaints).toEqual([]);
  });

  it("does not come again to an owner who skipped it", async () => {
    const world = newWorld();
    const { panel, node } = await host.open(world, { hash: "" });
    await panel.welcome.skip.click();
    await expectText(panel.overview.headline, "Not sharing");
    await expect.poll(() => node.world.settings.welcomed, SOON).toBe(true);
    const { panel: later } = await host.open({ ...world, settings: node.world.settings }, { hash: "" });
    await expectText(later.overview.headline, "Not sharing");
    expect(await later.welcome.title.count()).toBe(0);
  });

  it("says that the system is asking, and that permission was refused", async () => {
    const { panel, node } = await host.open(newWorld(), { hash: "#/welcome" });
    const release = node.hold("node.on");
    await panel.welcome.share.click();
    node.setNode(starting("helper"));
    await expectText(panel.page.getByRole("main"), "Waiting for permission to change the network");
    node.setNode(failed(HELPER_REFUSED));
    await expectText(panel.page.getByRole("main"), "Switch sharing on again and confirm the prompt");
    release();
    await expectText(panel.page.getByRole("main"), "Sharing is on.");
  });

  it.each([
    ["nothing, while sharing is off", undefined, "Turn sharing on first"],
    [
      "that it is being tried",
      { ...sharing(), reachability: { state: "checking", since: ago(1) } },
      "Looking for a way in",
    ],
    ["that it is reached directly", sharing(), "Yes. Guests reach you directly."],
    ["that the relay does it", relayed(), "Yes, through a relay."],
    ["that nobody gets in, and why", carrierNat(), "Not yet."],
    ["that there is no network", failed(NO_NETWORK), "Turn sharing on first"],
  ] as const)("says of the way in %s", async (_, node, text) => {
    const world = newWorld();
    const { panel } = await host.open(node === undefined ? world : { ...world, node }, { hash: "#/welcome" });
    await panel.welcome.step("reach").click();
    await expectText(panel.page.getByRole("status"), text);
  });

  it("adds no client while there is no address for its configuration", async () => {
    const { panel } = await host.open(newWorld(), { hash: "#/welcome" });
    await panel.welcome.step("client").click();
    await expectText(panel.page.getByRole("main"), "Turn sharing on first: a configuration needs");
    expect(await panel.welcome.clientName.count()).toBe(0);
  });
});
