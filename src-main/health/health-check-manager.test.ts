import { describe, expect, it } from "vitest";
import { HEALTH_FACTS } from "./facts.ts";
import { CHECK_EVERY_MS } from "./health-check-manager.ts";
import { HealthRig, RUNNING, STOPPED } from "./testing/health-rig.ts";

const EGRESS_BAD = { state: "bad", error: { code: "egress-no-answer", message: "Nobody answers." } } as const;

/** Running, looked at, and good. */
async function healthy(): Promise<HealthRig> {
  const rig = new HealthRig();
  rig.manager.update();
  await rig.clock.advance(1_000);
  expect(rig.manager.state.overall).toBe("good");
  return rig;
}

describe("a healthy node", () => {
  it("is looked at every half minute, and its probes more seldom", async () => {
    const rig = await healthy();
    expect(rig.asked.egressIpv4).toBe(1);
    await rig.clock.advance(4 * 60_000);
    expect(rig.settled).toBe(8);
    expect(rig.asked.egressIpv4).toBe(1);
    expect(rig.asked.dns).toBeLessThanOrEqual(5);
    expect(rig.manager.state.checkedAt).not.toBeNull();
    await rig.clock.advance(2 * 60_000);
    expect(rig.asked.egressIpv4).toBe(2);
  });

  it("is looked at again at once, probes and all, when somebody asks", async () => {
    const rig = await healthy();
    const health = await rig.manager.check();
    expect(rig.settled).toBe(1);
    expect(rig.asked.egressIpv4).toBe(2);
    expect(health).toBe(rig.manager.state);
  });

  it("has its probes asked anew when the way out has changed", async () => {
    const rig = await healthy();
    rig.subject = "another uplink";
    rig.manager.update();
    await rig.clock.advance(1_000);
    expect(rig.asked.egressIpv4).toBe(2);
  });

  it("passes on the wish to stay awake", async () => {
    const rig = await healthy();
    rig.keepAwake = true;
    rig.manager.update();
    expect(rig.manager.state.keepAwake).toBe(true);
  });
});

describe("a node that does not share", () => {
  it("is left alone: no timer, no probe, no check", async () => {
    const rig = new HealthRig();
    rig.become(STOPPED);
    await rig.clock.advance(10 * CHECK_EVERY_MS);
    expect(rig.settled).toBe(0);
    expect(Object.values(rig.asked)).toEqual([0, 0, 0, 0]);
    expect(rig.clock.pending).toBe(0);
    await rig.manager.check();
    expect(rig.settled).toBe(0);
  });

  it("forgets everything when it is switched off, and writes no line of it", async () => {
    const rig = await healthy();
    rig.seeProblems("firewall-gone");
    await rig.clock.advance(5_000);
    const lines = rig.recorded.length;
    rig.become(STOPPED);
    expect(rig.clock.pending).toBe(0);
    expect(rig.recorded).toHaveLength(lines);
    rig.manager.dispose();
    rig.become(RUNNING);
    expect(rig.clock.pending).toBe(0);
  });
});

describe("a fault", () => {
  it("is told when it lasts, with the reason, and when it is over, with its length", async () => {
    const rig = await healthy();
    rig.seeProblems("no-uplink");
    expect(rig.emitted).toEqual([]);
    await rig.clock.advance(3_000);
    expect(rig.emitted).toEqual([["unhealthy", "networkRoute"]]);
    expect(rig.manager.state.overall).toBe("bad");
    expect(rig.doings.at(-1)).toEqual({ wanted: true, working: false });
    await rig.clock.advance(7_000);
    rig.seeProblems();
    expect(rig.emitted).toEqual([
      ["unhealthy", "networkRoute"],
      ["healthy", "networkRoute"],
    ]);
    expect(rig.recorded).toEqual([
      {
        kind: "unhealthy",
        fact: "networkRoute",
        error: expect.objectContaining({ code: "no-uplink" }),
        step: null,
        attempt: null,
        durationMs: null,
      },
      { kind: "healthy", fact: "networkRoute", error: null, step: null, attempt: null, durationMs: 10_000 },
    ]);
    expect(rig.doings.at(-1)).toEqual({ wanted: true, working: true });
  });

  it("that heals itself before anybody could have been told leaves no trace", async () => {
    const rig = await healthy();
    rig.seeProblems("firewall-changed");
    expect(rig.fact("nat")).toMatchObject({ state: "bad", waiting: true });
    await rig.clock.advance(300);
    rig.seeProblems();
    await rig.clock.advance(10_000);
    expect(rig.recorded).toEqual([]);
    expect(rig.manager.state.overall).toBe("good");
  });

  it("that is being repaired is in the history, however short it was", async () => {
    const rig = await healthy();
    rig.exitRecovery = {
      state: "running",
      cause: "nat",
      step: "apply",
      attempt: 1,
      since: new Date(rig.clock.nowMs()).toISOString(),
    };
    rig.seeProblems("firewall-changed");
    expect(rig.manager.state.recovery).toEqual(rig.exitRecovery);
    await rig.clock.advance(200);
    const step = { step: "apply", fact: "nat", attempt: 1, error: null, durationMs: 200 } as const;
    rig.manager.noteRecovery({ kind: "recovery-step", ...step });
    rig.manager.noteRecovery({ kind: "recovered", ...step });
    rig.exitRecovery = { state: "idle" };
    rig.seeProblems();
    expect(rig.recorded.map(({ kind }) => kind)).toEqual(["unhealthy", "recovery-step", "recovered", "healthy"]);
    expect(rig.emitted).toContainEqual(["recovered", "nat"]);
  });

  it("of a probe is tried a second time before it is told", async () => {
    const rig = await healthy();
    rig.answers.egressIpv4 = EGRESS_BAD;
    rig.subject = "changed";
    rig.manager.update();
    await rig.clock.advance(1_000);
    expect(rig.fact("egressIpv4")).toMatchObject({ state: "bad", waiting: true });
    const asked = rig.asked.egressIpv4;
    await rig.clock.advance(3_000);
    expect(rig.asked.egressIpv4).toBeGreaterThan(asked);
    expect(rig.emitted).toEqual([]);
    await rig.clock.advance(2_000);
    expect(rig.emitted).toEqual([["unhealthy", "egressIpv4"]]);
  });
});

describe("an exception", () => {
  it("in a check makes that fact unknown, is logged, and harms no other", async () => {
    const rig = new HealthRig(
      HEALTH_FACTS.map((fact) => {
        if (fact.code !== "nat") return fact;
        const look = () => {
          throw new Error("a mistake in a check");
        };
        return { ...fact, look };
      }),
    );
    rig.manager.update();
    await rig.clock.advance(1_000);
    expect(rig.fact("nat").state).toBe("unknown");
    expect(rig.fact("routing").state).toBe("good");
    expect(rig.manager.state.overall).toBe("unknown");
    expect(rig.logged).toContainEqual(expect.objectContaining({ level: "warn", message: "a health check failed" }));
  });

  it("in a probe makes what it looks at unknown", async () => {
    const rig = await healthy();
    rig.answers.disk = new Error("the folder is gone");
    await rig.manager.check();
    expect(rig.fact("disk").state).toBe("unknown");
    rig.answers.disk = { state: "good" };
    await rig.manager.check();
    expect(rig.fact("disk").state).toBe("good");
  });

  it("in a listener reaches nobody else", async () => {
    const rig = await healthy();
    rig.manager.on("unhealthy", () => {
      throw new Error("a mistake in a view");
    });
    rig.seeProblems("no-uplink");
    await rig.clock.advance(1_000);
    expect(rig.manager.state.overall).toBe("bad");
    expect(rig.logged).toContainEqual(expect.objectContaining({ message: "a listener of health failed" }));
  });
});

describe("a machine that slept", () => {
  it("is verified at once, and the sleep is in the history once, whoever noticed it", async () => {
    const rig = await healthy();
    rig.sleep(3_600_000);
    await rig.clock.advance(2_000);
    expect(rig.recorded).toMatchObject([{ kind: "woke", durationMs: 3_600_000 }]);
    expect(rig.settled).toBe(1);
    expect(rig.asked.egressIpv4).toBe(2);
    rig.manager.woke();
    expect(rig.recorded).toHaveLength(1);
    await rig.clock.advance(60_000);
    rig.manager.woke();
    expect(rig.recorded).toMatchObject([{ kind: "woke" }, { kind: "woke", durationMs: null }]);
  });

  it("is left alone where it does not share", () => {
    const rig = new HealthRig();
    rig.become(STOPPED);
    rig.manager.woke();
    expect(rig.recorded).toEqual([]);
  });
});

describe("a clock that jumps", () => {
  it.each([-3_600_000, 3_600_000])("by %i ms is noticed, shown for a while, and leads to a check", async (ms) => {
    const rig = await healthy();
    rig.clock.jumpWallClock(ms);
    await rig.clock.advance(2_000);
    expect(rig.recorded).toMatchObject([{ kind: "clock-jumped", fact: "clock", durationMs: 3_600_000 }, {}]);
    expect(rig.recorded[1]).toMatchObject({ kind: "unhealthy", error: { code: "clock-jumped" } });
    expect(rig.manager.state.overall).toBe("attention");
    expect(rig.settled).toBe(1);
    await rig.clock.advance(6 * 60_000);
    expect(rig.manager.state.overall).toBe("good");
  });

  it("is called wrong where it shows a year in which this program did not exist", async () => {
    const rig = await healthy();
    rig.clock.jumpWallClock(-rig.clock.nowMs());
    await rig.clock.advance(2_000);
    expect(rig.fact("clock").error?.code).toBe("clock-wrong");
  });
});
