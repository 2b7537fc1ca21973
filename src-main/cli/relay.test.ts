import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { RelayLinkState } from "../../src-shared/model/relay-link.ts";
import { fail } from "../../src-shared/result.ts";
import { FAKE_NOW, fakeClient } from "../ipc/testing/fake-node.ts";
import { statusText } from "./status.ts";
import { CliHarness } from "./testing/cli-harness.ts";

let cli: CliHarness;
beforeEach(async () => {
  cli = await CliHarness.create();
});
afterEach(() => cli.dispose());

async function shown(relay: RelayLinkState): Promise<string> {
  const { value } = await cli.node.handlers["node.state"]({}, { signal: new AbortController().signal });
  return statusText({ ...value, relay }, Date.parse(FAKE_NOW));
}

describe("higgsnode status", () => {
  it("says nothing of a relay that is not wanted", async () => {
    expect(await shown({ state: "off" })).not.toMatch(/relay/i);
  });

  it("says where guests find the node at its relay, and what it carried", async () => {
    const text = await shown({
      state: "connected",
      since: FAKE_NOW,
      url: "wss://relay.example",
      rttMs: 12.4,
      publicEndpoint: { host: "relay.example", port: 40_001 },
      nodeId: "A".repeat(43),
      sessions: 2,
      rxBytes: 1_300_000,
      txBytes: 34_000_000,
      dropped: 3,
    });
    expect(text).toContain("connected to wss://relay.example, 12 ms away");
    expect(text).toContain(`relay.example:40001, node ${"A".repeat(43)}`);
    expect(text).toContain("3 packets dropped");
  });

  it("says why the relay is not reached, and what to do", async () => {
    const error = { code: "relay-untrusted", message: "The certificate is not trusted", hint: "Name its authority." };
    expect(await shown({ state: "waiting", error, retryAt: FAKE_NOW })).toContain(
      "not connected. The certificate is not trusted. Name its authority.",
    );
    expect(await shown({ state: "connecting" })).toMatch(/Relay +connecting/);
  });
});

describe("higgsnode client config", () => {
  it.each([
    [[], "direct"],
    [["--relay"], "relay"],
    [["--websocket"], "websocket"],
    [["--relay", "--websocket"], "websocket"],
  ])("with %j asks for the way %s", async (flags, via) => {
    await cli.serve();
    cli.node.clients = [fakeClient()];
    const asked = vi.spyOn(cli.node.handlers, "clients.config");
    expect((await cli.run("client", "config", "Anna's phone", ...flags)).code).toBe(0);
    expect(asked.mock.calls[0]?.[0]).toMatchObject({ via });
  });

  it("draws no QR code of what no phone can use", async () => {
    await cli.serve();
    expect(await cli.run("client", "config", "Anna's phone", "--qr", "--websocket")).toMatchObject({
      code: 2,
      out: "",
    });
  });
});

describe("higgsnode start", () => {
  it("takes relays for this run, in their canonical form", async () => {
    const named: unknown[] = [];
    cli.parts = {
      ...cli.parts,
      prepareNode: async ({ relayServers }) => {
        named.push(relayServers);
        return fail("stop-here", "enough");
      },
    };
    await cli.run("start", "--relay", "WSS://Relay.example:443/", "--relay", "wss://other.example:8443");
    await cli.run("start");
    expect(named).toEqual([["wss://relay.example", "wss://other.example:8443"], undefined]);
  });

  it("refuses a relay that is none", async () => {
    expect(await cli.run("start", "--relay", "relay.example")).toMatchObject({ code: 2, out: "" });
  });
});
