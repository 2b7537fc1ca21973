import { createSocket } from "node:dgram";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TestNode, wireguard } from "../../src-server/testing/test-node.ts";
import { portRange, startTestServer } from "../../src-server/testing/test-server.ts";
import { systemClock } from "../../src-shared/clock.ts";
import { eventually } from "../../src-shared/testing/eventually.ts";
import { runCli } from "./main.ts";
import { CliHarness } from "./testing/cli-harness.ts";

const NODE = "A".repeat(43);
const cleanups: (() => unknown)[] = [];
let cli: CliHarness;

beforeEach(async () => {
  cli = await CliHarness.create();
  cleanups.push(() => cli.dispose());
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe("higgsnode connect", () => {
  it.each([
    ["without a relay", ["--node", NODE]],
    ["without a node", ["--relay", "wss://relay.example"]],
    ["with a node id that begins with a hyphen and is none", ["--relay", "wss://relay.example", "--node=-Vw"]],
    ["with a relay that is none", ["--relay", "https://relay.example", "--node", NODE]],
    ["with a node that is none", ["--relay", "wss://relay.example", "--node", "anna"]],
    ["with a port above 65535", ["--relay", "wss://relay.example", "--node", "70000"]],
    ["on an address others can reach", ["--relay", "wss://a.example", "--node", NODE, "--listen", "0.0.0.0:51821"]],
    ["with a relay address that is a name", ["--relay", "wss://a.example", "--node", NODE, "--relay-address", "b"]],
  ])("is wrong usage %s", async (_, argv) => {
    expect(await cli.run("connect", ...argv)).toMatchObject({ code: 2, out: "" });
  });

  it("does not speak unencrypted to another machine unless it is told to", async () => {
    const running = cli.run("connect", "--relay", "ws://203.0.113.7", "--node", NODE, "--listen", "127.0.0.1:0");
    await eventually("the complaint", () => cli.text.err.includes("named with ws://"));
    for (const listener of cli.listeners) listener("SIGINT");
    expect((await running).code).toBe(0);
  });

  it("says where WireGuard finds it once it is connected, carries its datagrams, and ends with a signal", async () => {
    const server = await startTestServer({ udp: { host: "127.0.0.1", ...portRange(1) } });
    cleanups.push(() => server.stop());
    const node = new TestNode(server.url);
    cleanups.push(() => node.vanish());
    const { udp } = await node.register();
    const argv = ["connect", "--relay", server.url, "--node", String(udp.port), "--listen", "127.0.0.1:0"];
    const running = runCli(argv, { ...cli.host(), clock: systemClock });
    const line = await eventually("the ready line", () => /^(.*)\n$/.exec(cli.text.out)?.[1]);
    const ready = JSON.parse(line) as { ready: boolean; endpoint: string; relay: string };
    expect(ready).toMatchObject({ ready: true, relay: server.url });
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    cleanups.push(() => socket.close());
    socket.send(wireguard.initiation(7), Number(ready.endpoint.split(":")[1]), "127.0.0.1");
    const { payload } = await eventually("the datagram", () => node.datagrams[0]);
    expect(payload).toEqual(wireguard.initiation(7));
    for (const listener of cli.listeners) listener("SIGTERM");
    expect(await running).toBe(0);
    expect(cli.text.err).toContain(`Connected to ${server.url}.`);
    await eventually("the session to end", () => server.server.sessionCount === 0);
  });

  it("says that the relay's name has no address", async () => {
    expect(await cli.run("connect", "--relay", "wss://no-such-relay.invalid", "--node", NODE)).toMatchObject({
      code: 1,
      err: expect.stringContaining("Check its name, or give its address with --relay-address"),
    });
  });
});
