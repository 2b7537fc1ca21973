import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Control } from "./control.ts";
import { type Guest, pollUntil, requireLab, type Transfer, WEB_NAME } from "./lab/index.ts";
import { Sharing } from "./sharing.ts";

const RECOVERED_WITHIN_MS = 5_000;
/** A download that lasts longer than what is done to it: 400 s at 2 Mbit/s. */
const SLOW_URL = `http://${WEB_NAME}/slow?kbps=2000&n=100000000`;

describe.skipIf(!requireLab())("while a client downloads", () => {
  let sharing: Sharing;
  let guest: Guest;

  beforeAll(async () => {
    sharing = await Sharing.on();
    guest = await sharing.connectGuest("guest");
  });
  afterAll(async () => {
    await sharing?.dispose();
  });

  async function downloading(): Promise<Transfer> {
    const transfer = guest.startFetch(SLOW_URL, { timeoutMs: 400_000 });
    await pollUntil("the download to begin", () => transfer.receivedBytes > 100_000, { timeoutMs: 20_000 });
    return transfer;
  }

  async function continues(transfer: Transfer): Promise<void> {
    const before = transfer.receivedBytes;
    await pollUntil("the download to go on", () => transfer.receivedBytes > before + 500_000, { timeoutMs: 15_000 });
  }

  it("killing the helper does not end the download, and the node is running again within 5 s", async () => {
    const transfer = await downloading();
    const killed = sharing.helperPid();
    const startedMs = Date.now();
    sharing.node.host.kill(killed, "SIGKILL");
    await pollUntil("a new helper", () => newHelper(sharing, killed), { timeoutMs: RECOVERED_WITHIN_MS });
    await sharing.waitForPhase("running", RECOVERED_WITHIN_MS);
    expect(Date.now() - startedMs).toBeLessThan(RECOVERED_WITHIN_MS);
    await continues(transfer);
    await transfer.stop();
  });

  it.each([
    ["the interface is deleted", ["ip", "link", "del", "higgs0"]],
    ["the interface is switched off", ["ip", "link", "set", "higgs0", "down"]],
  ])("%s: it is repaired and guests go on", async (_, argv) => {
    await pollUntil("the guest to be seen", async () => (await sharing.state()).exit?.clients.connected === 1, {
      timeoutMs: 10_000,
    });
    await sharing.node.host.mustExec(argv);
    await pollUntil(
      "the interface to be back",
      async () => (await sharing.node.host.exec(["ip", "link", "show", "higgs0", "up"])).stdout.includes("UP"),
      { timeoutMs: 10_000, intervalMs: 50 },
    );
    await sharing.waitForPhase("running");
    // The node speaks first: waiting for the guest to notice would take 15 s.
    await pollUntil("a guest's ping", async () => (await guest.ping("10.66.0.1")).received > 0, { timeoutMs: 8_000 });
  });

  it("adding clients up to the 200th neither interrupts the download nor becomes slow", async () => {
    const transfer = await downloading();
    const control = new Control(join(sharing.node.dataFolder, "control.sock"));
    const add = async (number: number): Promise<number> => {
      const startedMs = performance.now();
      await control.call("clients.add", { name: `client ${number}` });
      return performance.now() - startedMs;
    };
    const firstMs: number[] = [];
    for (let number = 2; number <= 191; number++) {
      const ms = await add(number);
      if (number <= 10) firstMs.push(ms);
    }
    // Medians of nine, so that one hiccup of a shared machine decides nothing; a longer one is over at the next try.
    for (let triesLeft = 2; ; triesLeft--) {
      const lastMs: number[] = [];
      for (let number = 192; number <= 200; number++) lastMs.push(await add(number));
      const ratio = median(lastMs) / median(firstMs);
      if (ratio < 2 || triesLeft === 0) {
        expect(ratio).toBeLessThan(2);
        break;
      }
      for (let number = 192; number <= 200; number++)
        await control.call("clients.remove", { name: `client ${number}` });
    }
    control.close();
    await continues(transfer);
    await transfer.stop();
  });

  it("removing a client cuts it off within 1 s, and nobody else", async () => {
    const other = await sharing.connectGuest("to be removed");
    expect((await other.ping("10.66.0.1")).received).toBe(1);
    await sharing.node.mustRun(["client", "remove", "to be removed"]);
    expect((await other.ping("10.66.0.1")).received).toBe(0);
    expect((await guest.ping("10.66.0.1")).received).toBe(1);
  });

  it("a paused client is cut off until it is resumed", async () => {
    const other = await sharing.connectGuest("paused");
    await sharing.node.mustRun(["client", "pause", "paused"]);
    expect((await other.ping("10.66.0.1")).received).toBe(0);
    await sharing.node.mustRun(["client", "resume", "paused"]);
    await pollUntil("the client to be back", async () => (await other.ping("10.66.0.1")).received > 0, {
      timeoutMs: 20_000,
    });
  });
});

function newHelper(sharing: Sharing, old: number): boolean {
  try {
    return sharing.helperPid() !== old;
  } catch {
    return false;
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
