import { createSocket, type Socket } from "node:dgram";
import { afterEach, describe, expect, it } from "vitest";
import { DEFAULT_SETTINGS } from "../../../src-shared/model/settings.ts";
import type { ObservedWireguard } from "../../../src-shared/network-observation.ts";
import { alone, PRESENT, sharing, verdictOf } from "../testing/check-context.ts";
import { wireguardChecks } from "./wireguard.ts";

describe("the tunnel", () => {
  it.each<[string, ObservedWireguard, string, string]>([
    ["is as it should be", PRESENT, "pass", "higgs0 (kernel), UDP port 51820, MTU 1420."],
    ["is gone", { state: "absent" }, "fail", "higgs0 does not exist."],
    ["does not answer", { state: "broken", reason: "no process" }, "fail", "higgs0: no process."],
    ["is down", { ...PRESENT, up: false }, "fail", "higgs0 is down."],
    ["listens elsewhere", { ...PRESENT, listenPort: 4000 }, "fail", "It listens on port 4000, not 51820."],
  ])("%s", async (_, wireguard, outcome, detail) => {
    expect(await verdictOf(wireguardChecks, "wireguard.interface", sharing({ wireguard }))).toMatchObject({
      outcome,
      detail,
    });
  });

  it.each<[string, ObservedWireguard, string]>([
    ["all", PRESENT, "pass"],
    ["some", { ...PRESENT, peers: PRESENT.peers.slice(1) }, "fail"],
    ["none, for want of a tunnel", { state: "absent" }, "skipped"],
  ])("has its clients: %s", async (_, wireguard, outcome) => {
    expect((await verdictOf(wireguardChecks, "wireguard.clients", sharing({ wireguard }))).outcome).toBe(outcome);
  });

  it("is not looked for while sharing is off", async () => {
    for (const id of ["wireguard.interface", "wireguard.clients"]) {
      expect(await verdictOf(wireguardChecks, id, alone())).toEqual({ outcome: "skipped", detail: "Sharing is off." });
    }
  });
});

describe("the WireGuard port", () => {
  let holder: Socket | undefined;

  afterEach(async () => {
    await new Promise<void>((resolve) => (holder === undefined ? resolve() : holder.close(resolve)));
    holder = undefined;
  });

  /** A port that another program holds. */
  async function taken(): Promise<number> {
    const socket = createSocket("udp4");
    holder = socket;
    await new Promise<void>((resolve) => socket.bind(0, resolve));
    return socket.address().port;
  }

  function on(listenPort: number) {
    return { settings: { ...DEFAULT_SETTINGS, listenPort } };
  }

  it("may be ours", async () => {
    expect(await verdictOf(wireguardChecks, "wireguard.port", sharing())).toEqual({
      outcome: "pass",
      detail: "UDP 51820 is ours.",
    });
  });

  it("must not be another program's, and is free when that one has ended", async () => {
    const port = await taken();
    expect(await verdictOf(wireguardChecks, "wireguard.port", alone({}, on(port)))).toMatchObject({
      outcome: "fail",
      detail: `UDP ${port} is used by another program.`,
    });
    await new Promise<void>((resolve) => holder?.close(resolve));
    holder = undefined;
    expect(await verdictOf(wireguardChecks, "wireguard.port", alone({}, on(port)))).toMatchObject({ outcome: "pass" });
  });
});
