import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Health, HealthFact, HealthFactCode, HealthHistory, UptimeDay } from "../src-shared/model/health.ts";
import type { NodeState } from "../src-shared/model/node-state.ts";
import { Control } from "./control.ts";
import { INTERNET, pollUntil, requireLab } from "./lab/index.ts";
import { Sharing } from "./sharing.ts";

/** A connection that is refused at once, or answered, at an address in the lab's internet. */
const TARGETS = JSON.stringify([`${INTERNET.web.ipv4}:80`, `[${INTERNET.web.ipv6}]:80`]);
const TOLD_WITHIN_MS = 3_000;
const BACK_WITHIN_MS = 5_000;
/** For what has no promise of its own, on a busy machine. */
const PATIENCE_MS = 30_000;

describe.skipIf(!requireLab())("the health of a node that shares", () => {
  let sharing: Sharing;
  let control: Control;

  beforeAll(async () => {
    sharing = await Sharing.create();
    await sharing.node.mustRun(["settings", "set", `egressTargets=${TARGETS}`, "portMapping=off"]);
    await sharing.node.mustRun(["on"]);
    await sharing.waitForPhase("running");
    control = new Control(join(sharing.node.dataFolder, "control.sock"));
  });
  afterAll(async () => {
    control?.close();
    await sharing?.dispose();
  });

  async function health(): Promise<Health> {
    return ((await control.call("node.state", {})) as { value: NodeState }).value.health;
  }

  async function fact(code: HealthFactCode): Promise<HealthFact | undefined> {
    return (await health()).facts.find((each) => each.code === code);
  }

  function untilFact(code: HealthFactCode, holds: (fact: HealthFact) => boolean, timeoutMs: number): Promise<void> {
    return pollUntil(
      `${code} to be so`,
      async () => {
        const seen = await fact(code);
        return seen !== undefined && holds(seen);
      },
      { timeoutMs, intervalMs: 50 },
    );
  }

  const isTold = ({ state, waiting, silencedBy }: HealthFact) =>
    state === "bad" && !waiting && silencedBy === undefined;

  it("is good in every fact that can be looked at here, and was really tried", async () => {
    const seen = JSON.parse(await sharing.node.mustRun(["health", "--json"])) as Health;
    expect(seen.overall).toBe("good");
    const good = seen.facts.filter(({ state }) => state === "good").map(({ code }) => code);
    expect(good).toEqual(expect.arrayContaining(["helper", "networkRoute", "wireguard", "routing", "nat", "limits"]));
    expect(good).toEqual(expect.arrayContaining(["dns", "egressIpv4", "egressIpv6", "disk", "clock"]));
    expect(sharing.lab.dnsQueries().some(({ type }) => type === "NS")).toBe(true);
  });

  it("keeps in the history what was repaired, and how long that took", async () => {
    await sharing.node.host.mustExec(["iptables", "-F"]);
    const lines = async () => ((await control.call("health.history", { limit: 20 })) as HealthHistory).events;
    await pollUntil("the recovery", async () => (await lines()).some(({ kind }) => kind === "healthy"), {
      timeoutMs: PATIENCE_MS,
    });
    const told = (await lines()).filter(({ fact: about }) => about === "nat").map(({ kind }) => kind);
    expect([...told].reverse()).toEqual(["unhealthy", "recovery-step", "recovered", "healthy"]);
    const days = (await control.call("health.uptime", { days: 7 })) as UptimeDay[];
    expect(days[0]?.wantedSeconds).toBeGreaterThan(0);
  });

  it("says within 3 s that the cable is out, and is good within 5 s of its return", async () => {
    const { router } = sharing.lab;
    const port = (direction: "up" | "down") => router.host.ip([`link set dev node ${direction}`]);
    await port("down");
    await untilFact("networkRoute", (seen) => isTold(seen) && seen.error?.code === "uplink-down", TOLD_WITHIN_MS);
    await sharing.waitForPhase("degraded");
    const status = await sharing.node.mustRun(["status"]);
    expect(status).toContain("is not connected. Plug the cable in");
    await port("up");
    await untilFact("networkRoute", ({ state }) => state === "good", BACK_WITHIN_MS);
    await sharing.waitForPhase("running", BACK_WITHIN_MS);
  });

  it("tells the dead line from the computer's own part, and silences what follows from it", async () => {
    const { router } = sharing.lab;
    await router.host.ip(["link set dev wan down"]);
    await control.call("health.check", {});
    await untilFact("egressIpv4", isTold, PATIENCE_MS);
    expect((await fact("networkRoute"))?.state).toBe("good");
    expect((await health()).overall).toBe("bad");
    expect((await health()).facts.filter(isTold).map(({ code }) => code)).toEqual(["egressIpv4"]);
  });

  it("is off, and looks at nothing, while sharing is off", async () => {
    await sharing.node.mustRun(["off"]);
    expect((await health()).overall).toBe("off");
    expect((await health()).facts.every(({ state }) => state === "off")).toBe(true);
  });
});
