import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { failed, NO_NETWORK } from "../hosts/scripted-faults.ts";
import { ScriptedHost } from "../hosts/scripted-host.ts";
import { anExit, aWorld, STOPPED, sharing, starting } from "../hosts/scripted-states.ts";
import { ago } from "../hosts/scripted-values.ts";
import { carrierNat, doubleNat, RELAY_CONNECTED, relayed } from "../hosts/scripted-ways.ts";
import { expectNone, expectText, SOON } from "./expect-text.ts";

const HASH = "#/network";

describe("the network screen", () => {
  let host: ScriptedHost;
  beforeAll(async () => {
    host = await ScriptedHost.start();
  });
  afterAll(() => host?.close());

  it("draws the way from the internet to this computer, each hop with its addresses", async () => {
    const { panel, complaints } = await host.open(aWorld(), { hash: HASH });
    await expectText(panel.network.answer, "Guests reach this computer directly");
    expect(await panel.network.hops()).toEqual(["Internet", "Your provider", "Your router", "This computer"]);
    await expectText(panel.network.hop("home-router"), "192.168.1.1");
    await expectText(panel.network.hop("home-router"), "Lets guests in");
    await expectText(panel.network.mapping, "UPnP");
    await expectText(panel.network.mapping, "11.22.33.2:51820");
    await expectText(panel.network.mapping, "minutes");
    await expectText(panel.network.proof, "23 ms");
    await expectText(panel.network.ipv6, "Translated: guests share this computer's address");
    await expectText(panel.network.ipv6, "[2a0a:77::10]:51820");
    expect(complaints).toEqual([]);
  });

  it("says that sharing is off, and why nothing is known", async () => {
    const { panel } = await host.open(aWorld({ node: STOPPED }), { hash: HASH });
    await expectText(panel.network.answer, "Sharing is off, so nobody outside is let in");
    await expectText(panel.network.mapping, "The router is asked as soon as you share");
    await expectText(panel.network.relay, "No relay is named in the settings");
  });

  it("looks at the network while sharing is being turned on", async () => {
    const { panel } = await host.open(aWorld({ node: starting("verify") }), { hash: HASH });
    await expectText(panel.network.answer, "Looking at your network");
  });

  it("says that there is no network", async () => {
    const { panel } = await host.open(aWorld({ node: failed(NO_NETWORK) }), { hash: HASH });
    await expectText(panel.page.getByRole("main"), "There is no uplink");
  });

  it("explains two routers in a row in plain words, with what helps", async () => {
    const { panel } = await host.open(aWorld({ node: doubleNat() }), { hash: HASH });
    await expectText(panel.network.answer, "Guests cannot reach this computer from the internet");
    await expectText(panel.network.chain, "Two routers in a row");
    expect(await panel.network.hops()).toEqual([
      "Internet",
      "Your provider",
      "Outer router",
      "Your router",
      "This computer",
    ]);
    await expectText(panel.network.hop("second-router"), "Perhaps stops guests");
    await expectText(panel.network.advice, "Make the outer box pass everything on");
    await expectText(panel.network.advice, "Forward the port on the outer router (192.168.88.1)");
    await expectText(panel.network.advice, "UDP port 51820");
    await expectText(panel.network.mapping, "This is not an internet address");
    await panel.network.advice.getByRole("link", { name: "Relay settings" }).click();
    await panel.screen("settings").waitFor();
  });

  it("explains a shared address, and that only the provider can change it", async () => {
    const { panel } = await host.open(aWorld({ node: carrierNat() }), { hash: HASH });
    await expectText(panel.network.chain, "You share an address with other customers");
    await expectText(panel.network.hop("carrier"), "One address for many customers");
    await expectText(panel.network.advice, "a public IPv4 address");
    await expectText(panel.network.mapping, "Your router refuses to forward ports");
  });

  it("says where guests are stopped once somebody has tried", async () => {
    const waiting = {
      state: "waiting",
      error: { code: "relay-lost", message: "The connection to the relay was lost." },
      retryAt: ago(-20),
    } as const;
    const { panel } = await host.open(aWorld({ node: doubleNat(waiting) }), { hash: HASH });
    await expectText(panel.network.answer, "Guests cannot reach this computer from the internet");
    await expectText(panel.network.hop("second-router"), "Guests are stopped here");
    await expectText(panel.network.proof, "No answer");
    await expectText(panel.network.relay, "The connection to the relay was lost");
  });

  it("says that the relay carries guests, and that nothing needs to be done", async () => {
    const { panel } = await host.open(aWorld({ node: relayed() }), { hash: HASH });
    await expectText(panel.network.answer, "Guests reach this computer through the relay");
    await expectText(panel.network.advice, "Nothing needs to be done");
    await expectText(panel.network.relay, "32 ms");
    await expectText(panel.network.relay, "wss://relay.example.org");
  });

  it("shows nothing of advice where guests get in", async () => {
    const { panel } = await host.open(aWorld({ node: { ...sharing(), relay: RELAY_CONNECTED } }), { hash: HASH });
    await expectText(panel.network.answer, "Guests reach this computer directly");
    await expectNone(panel.network.advice);
  });

  it("says why guests have no IPv6", async () => {
    const reason = { code: "no-ipv6", message: "This network has no IPv6." };
    const exit = anExit({ ipv6: { state: "off", reason } });
    const { panel } = await host.open(
      aWorld({ node: { ...sharing(), node: { phase: "running", since: ago(9), exit } } }),
      { hash: HASH },
    );
    await expectText(panel.network.ipv6, "This network has no IPv6");
  });

  it("asks the router again, says so, and says what came of it", async () => {
    const { panel, node } = await host.open(aWorld(), { hash: HASH });
    const release = node.hold("ports.refresh");
    await panel.network.mapping.getByRole("button", { name: "Renew now" }).click();
    await expectText(panel.network.mapping, "Asking…");
    release();
    await panel.notice("The router has been asked again.").waitFor();
    node.refuse("ports.refresh", {
      code: "mapping-silence",
      message: "Your router does not answer requests to forward a port.",
    });
    await panel.network.mapping.getByRole("button", { name: "Renew now" }).click();
    await expectText(panel.network.mapping, "Your router does not answer requests");
  });

  it("follows the node as it finds the way", async () => {
    const { panel, node } = await host.open(aWorld({ node: STOPPED }), { hash: HASH });
    await expectText(panel.network.answer, "Sharing is off");
    node.setNode({ ...sharing(), reachability: { state: "checking", since: ago(1) } });
    await expectText(panel.network.answer, "It is being tried from outside");
    node.setNode(sharing());
    await expectText(panel.network.answer, "Guests reach this computer directly");
    await expect.poll(() => panel.network.hops(), SOON).toHaveLength(4);
  });
});
