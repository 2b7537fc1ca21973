import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Control } from "./control.ts";
import { type Guest, INTERNET, NetworkSnapshot, poll, pollUntil, requireLab, WEB_NAME } from "./lab/index.ts";
import { iperf, type Measurement, startIperfServers } from "./limits/iperf.ts";
import { Sharing } from "./sharing.ts";

/** What a limit may be off by. */
const WITHIN = 0.05;

interface ShownClient {
  name: string;
  limit?: { state: string; down?: string; up?: string };
  quota?: { usedBytes: number; exhausted: boolean };
  usage: { rxBytes: number; txBytes: number };
}

describe.skipIf(!requireLab())("limits", () => {
  let sharing: Sharing;
  let anna: Guest;
  let boris: Guest;

  beforeAll(async () => {
    sharing = await Sharing.create();
    await startIperfServers(sharing.lab.host("inet"), [5201, 5202, 5203, 5204]);
  });
  afterAll(async () => {
    await sharing?.dispose();
  });

  async function limit(...words: string[]): Promise<void> {
    await sharing.node.mustRun(["limit", ...words]);
  }

  async function client(name: string): Promise<ShownClient> {
    const clients = JSON.parse(await sharing.node.mustRun(["client", "list", "--json"])) as ShownClient[];
    const found = clients.find((each) => each.name === name);
    if (found === undefined) throw new Error(`there is no client ${name}`);
    return found;
  }

  /** Anna on one port and Boris on the next, at the same time. */
  function both(how: Omit<Measurement, "port">, port = 5201): Promise<[number, number]> {
    return Promise.all([iperf(anna.host, { ...how, port }), iperf(boris.host, { ...how, port: port + 1 })]);
  }

  /**
   * No measurement may exceed what is allowed. A machine that is busy with other things can only take away, so that what
   * is missing once is measured again.
   */
  async function expectRates(measure: () => Promise<number[]>, wanted: number[]): Promise<void> {
    for (let triesLeft = 2; ; triesLeft--) {
      const shares = (await measure()).map((rate, index) => rate / (wanted[index] ?? 0));
      for (const share of shares) expect(share).toBeLessThan(1 + WITHIN);
      if (triesLeft > 0 && shares.some((share) => share <= 1 - WITHIN)) continue;
      for (const share of shares) expect(share).toBeGreaterThan(1 - WITHIN);
      return;
    }
  }

  it("leave nothing behind when sharing ends", async () => {
    const before = await NetworkSnapshot.take(sharing.node.host);
    await sharing.node.mustRun(["client", "add", "nobody"]);
    await limit("set", "nobody", "--down", "5mbit", "--up", "2mbit");
    await sharing.node.mustRun(["on"]);
    const classes = await sharing.node.host.mustExec(["tc", "class", "show", "dev", "higgs-ifb0"]);
    expect(classes).toContain("class htb 1:2 parent 1:1");
    await sharing.node.mustRun(["off"]);
    expect(NetworkSnapshot.diff(before, await NetworkSnapshot.take(sharing.node.host))).toEqual([]);
  });

  it("leave no class when they are cleared, and no interface when the last one is", async () => {
    await sharing.node.mustRun(["on"]);
    await sharing.waitForPhase("running");
    anna = await sharing.connectGuest("Anna");
    boris = await sharing.connectGuest("Boris");
    await limit("set", "Boris", "--down", "8mbit", "--up", "3mbit");
    await limit("clear", "nobody");
    const classes = await sharing.node.host.mustExec(["tc", "class", "show", "dev", "higgs0"]);
    expect(classes).not.toContain("class htb 1:2 ");
    expect(classes).toContain("class htb 1:4 ");
    await limit("clear", "Boris");
    expect(await sharing.node.host.mustExec(["tc", "qdisc", "show"])).not.toContain("htb");
    expect((await sharing.node.host.exec(["ip", "link", "show", "higgs-ifb0"])).code).not.toBe(0);
  });

  describe("of 5 Mbit/s down and 2 up, beside somebody with 8 and 3", () => {
    beforeAll(async () => {
      await limit("set", "Anna", "--down", "5mbit", "--up", "2mbit");
      await limit("set", "Boris", "--down", "8mbit", "--up", "3mbit");
    });

    it.each([4, 6] as const)("hold both ways with TCP over IPv%d", async (family) => {
      await expectRates(() => both({ direction: "down", protocol: "TCP", family }), [5e6, 8e6]);
      // Not at the same time: what acknowledges a download is a part of the upload.
      await expectRates(() => both({ direction: "up", protocol: "TCP", family }), [2e6, 3e6]);
    });

    it.each([4, 6] as const)("hold both ways at once with UDP over IPv%d", async (family) => {
      const bothWays = async () => {
        const down = both({ direction: "down", protocol: "UDP", family });
        const up = both({ direction: "up", protocol: "UDP", family }, 5203);
        return [...(await down), ...(await up)];
      };
      await expectRates(bothWays, [5e6, 8e6, 2e6, 3e6]);
    });

    it.each([
      ["the interface was deleted", () => sharing.node.host.mustExec(["ip", "link", "del", "higgs0"])],
      [
        "the helper was killed",
        async () => {
          const killed = sharing.helperPid();
          sharing.node.host.kill(killed, "SIGKILL");
          await pollUntil("a new helper", () => hasNewHelper(sharing, killed), { timeoutMs: 10_000 });
        },
      ],
      [
        "somebody took our limits away",
        () => sharing.node.host.mustExec(["tc", "qdisc", "del", "dev", "higgs0", "root"]),
      ],
      [
        "the node was killed and started again",
        async () => {
          sharing.node.host.kill(sharing.nodePid(), "SIGKILL");
          await sharing.node.program.ended;
          await sharing.node.start({ panelPort: false });
        },
      ],
    ])("hold after %s", async (what, action) => {
      await action();
      // Nothing tells of a change of traffic control: the node finds it at its next look.
      if (what.startsWith("somebody")) await sharing.node.mustRun(["client", "resume", "Anna"]);
      await pollUntil("the limits to be back", () => limitsAreBack(sharing), { timeoutMs: 40_000, intervalMs: 100 });
      await sharing.waitForPhase("running");
      await pollUntil("Anna's tunnel", async () => (await anna.ping(INTERNET.web.ipv4)).received > 0, {
        timeoutMs: 20_000,
      });
      const download = { direction: "down", protocol: "TCP", family: 4, port: 5201, seconds: 2 } as const;
      await expectRates(async () => [await iperf(anna.host, download)], [5e6]);
    });

    it("change while a download runs, within a second and without breaking it", async () => {
      const transfer = anna.startFetch(`http://${WEB_NAME}/bytes?n=400000000&seed=1`, { timeoutMs: 60_000 });
      await pollUntil("the download to begin", () => transfer.receivedBytes > 500_000, { timeoutMs: 10_000 });
      const before = transfer.receivedBytes;
      const sinceMs = performance.now();
      await limit("set", "Anna", "--down", "20mbit");
      await pollUntil("four times as much to arrive", () => transfer.receivedBytes - before > 5_000_000, {
        timeoutMs: 20_000,
      });
      const rate = ((transfer.receivedBytes - before) * 8_000) / (performance.now() - sinceMs);
      await transfer.stop();
      // A second at 5 Mbit/s and the rest at 20 would be 15 on the average.
      expect(rate).toBeGreaterThan(15e6);
      expect(rate).toBeLessThan(22e6);
    });

    it("are measured by `limit test`, which says when they hold and when nothing can be said", async () => {
      await limit("set", "Anna", "--down", "5mbit");
      const idle = JSON.parse(await sharing.node.mustRun(["limit", "test", "Anna", "--seconds", "1", "--json"]));
      expect(idle.down.verdict).toBe("idle");
      const running = iperf(anna.host, { direction: "down", protocol: "TCP", family: 4, port: 5201 });
      await pollUntil("the download to fill its limit", async () => (await backlogOf(sharing, "1:3")) > 0, {
        timeoutMs: 20_000,
      });
      const tested = JSON.parse(await sharing.node.mustRun(["limit", "test", "Anna", "--seconds", "2", "--json"]));
      expect(tested.down).toMatchObject({ limit: "5mbit", verdict: "holds" });
      await running;
    });
  });

  it("give priority 10 its rate when the connection is full, and leave the rest to priority 1", async () => {
    await sharing.node.mustRun(["settings", "set", "totalRate=6mbit/6mbit"]);
    await limit("set", "Anna", "--down", "4mbit", "--up", "4mbit", "--priority", "10");
    await limit("set", "Boris", "--down", "8mbit", "--up", "8mbit", "--priority", "1");
    const annaAndAll = async (how: Omit<Measurement, "port">) => {
      const [hers, his] = await both(how);
      return [hers, hers + his];
    };
    await expectRates(() => annaAndAll({ direction: "down", protocol: "TCP", family: 4 }), [4e6, 6e6]);
    await expectRates(() => annaAndAll({ direction: "up", protocol: "UDP", family: 6 }), [4e6, 6e6]);
  });

  describe("with a quota of 20 MB", () => {
    beforeAll(async () => {
      await sharing.node.mustRun(["settings", "set", "totalRate=null"]);
    });

    const quotaBytes = 20_000_000;
    const rate = 40e6;
    /** One megabyte, and what passes in a second. */
    const tolerance = 1_000_000 + rate / 8;

    it.each([
      ["Anna", "pause", "paused-by-quota"],
      ["Boris", "slow:500kbit", "slowed"],
    ])("%s meets %s at its end, within 1 MB and a second of traffic", async (name, action, state) => {
      const guest = name === "Anna" ? anna : boris;
      await limit("set", name, "--down", "40mbit", "--up", "40mbit", "--quota", "20MB", "--quota-action", action);
      const before = await throughTunnel(guest);
      const transfer = guest.startFetch(`http://${WEB_NAME}/bytes?n=100000000&seed=2`, { timeoutMs: 40_000 });
      await poll("the end of the quota", async () => ((await client(name)).limit?.state === state ? true : undefined), {
        timeoutMs: 30_000,
        intervalMs: 200,
      });
      await pollUntil("the end of the guest's use of it", () => isHeld(guest, action), { timeoutMs: 20_000 });
      const used = (await throughTunnel(guest)) - before;
      await transfer.stop();
      expect(used).toBeGreaterThan(quotaBytes - 100_000);
      expect(used).toBeLessThan(quotaBytes + tolerance);
    });

    /** As the guest counts it: what really passed, whatever the node says. */
    async function throughTunnel(guest: Guest): Promise<number> {
      const { receivedBytes, sentBytes } = await guest.transferred();
      return receivedBytes + sentBytes;
    }

    async function isHeld(guest: Guest, action: string): Promise<boolean> {
      if (action === "pause") return (await guest.ping("10.66.0.1")).received === 0;
      const shown = await sharing.node.host.mustExec(["tc", "class", "show", "dev", "higgs0", "classid", "1:4"]);
      return shown.includes("ceil 512Kbit") || shown.includes("ceil 513Kbit");
    }

    it("remembers what was used when the node is killed", async () => {
      const before = (await client("Boris")).quota?.usedBytes ?? 0;
      expect(before).toBeGreaterThan(quotaBytes);
      sharing.node.host.kill(sharing.nodePid(), "SIGKILL");
      await sharing.node.program.ended;
      await sharing.node.start({ panelPort: false });
      await sharing.waitForPhase("running");
      const { quota, limit: held } = await client("Boris");
      expect(quota?.usedBytes).toBeGreaterThanOrEqual(before);
      expect(quota?.usedBytes).toBeLessThan(before + 2_000_000);
      expect(held?.state).toBe("slowed");
      await limit("clear", "Boris");
      await limit("clear", "Anna");
    });
  });

  it.each([
    [["--down", "10mbit; rm -rf /"], "rate-invalid"],
    [["--down=-1"], "rate-invalid"],
    [["--schedule", "mon 10:00-12:00; mon 11:00-13:00"], "schedule-invalid"],
    [["--quota", "lots"], "quota-invalid"],
  ])("refuse %j with one clear error, and apply nothing", async (words, code) => {
    const before = await sharing.node.host.mustExec(["tc", "class", "show", "dev", "higgs0"]);
    const refused = await sharing.node.run(["limit", "set", "Boris", "--json", ...words]);
    expect(refused.code).not.toBe(0);
    expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code } });
    expect((await client("Boris")).limit).toBeUndefined();
    expect(await sharing.node.host.mustExec(["tc", "class", "show", "dev", "higgs0"])).toBe(before);
  });

  it("refuse every other rate that tc would not take either, or that is none", async () => {
    const control = new Control(join(sharing.node.dataFolder, "control.sock"));
    for (const down of ["-1", "0", "0mbit", "1e9gbit", "NaN", "10", "10mbps", "10 mbit", "0x10mbit", "5mbit\n", ""]) {
      await expect(control.call("limits.set", { name: "Boris", changes: { down } })).rejects.toThrow("rate-invalid");
    }
    control.close();
    expect((await client("Boris")).limit).toBeUndefined();
  });

  it("refuse a client that does not exist", async () => {
    const refused = await sharing.node.run(["limit", "set", "Zoe", "--down", "5mbit", "--json"]);
    expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: "client-unknown" } });
  });
});

function hasNewHelper(sharing: Sharing, old: number): boolean {
  try {
    return sharing.helperPid() !== old;
  } catch {
    return false;
  }
}

async function limitsAreBack(sharing: Sharing): Promise<boolean> {
  const shown = await Promise.all(
    ["higgs0", "higgs-ifb0"].map((device) => sharing.node.host.exec(["tc", "class", "show", "dev", device])),
  );
  return shown.every(({ stdout }) => stdout.includes("class htb 1:3 ") && stdout.includes("class htb 1:4 "));
}

async function backlogOf(sharing: Sharing, id: string): Promise<number> {
  const shown = await sharing.node.host.mustExec(["tc", "-s", "class", "show", "dev", "higgs0", "classid", id]);
  return Number(/backlog (\d+)/.exec(shown)?.[1] ?? 0);
}
