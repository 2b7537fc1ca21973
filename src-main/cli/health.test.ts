import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HEALTH_NOT_LOOKED, type Health, type HealthEvent, type HealthFact } from "../../src-shared/model/health.ts";
import { FAKE_NOW } from "../ipc/testing/fake-node.ts";
import { healthFacts, healthText, historyText, uptimeText } from "./health.ts";
import { CliHarness } from "./testing/cli-harness.ts";

const NOW_MS = Date.parse(FAKE_NOW) + 60_000;

function fact(changes: Partial<HealthFact>): HealthFact {
  return {
    code: "nat",
    severity: "error",
    cutsConnectivity: true,
    state: "good",
    since: FAKE_NOW,
    waiting: false,
    ...changes,
  };
}

const NO_ROUTE = fact({
  code: "networkRoute",
  state: "bad",
  error: { code: "no-uplink", message: "This computer has no internet connection.", hint: "Connect it." },
});
const ILL: Health = {
  overall: "bad",
  facts: [
    fact({}),
    fact({ code: "dns", state: "bad", silencedBy: "networkRoute" }),
    NO_ROUTE,
    fact({ code: "wireguard", state: "bad", waiting: true, error: { code: "interface-gone", message: "Gone." } }),
    fact({ code: "relay", state: "off" }),
  ],
  checkedAt: FAKE_NOW,
  recovery: {
    state: "waiting",
    cause: "networkRoute",
    attempt: 4,
    since: FAKE_NOW,
    nextAt: "2026-01-01T12:01:20.000Z",
  },
  keepAwake: false,
};

let cli: CliHarness;

beforeEach(async () => {
  cli = await CliHarness.create();
  await cli.serve();
});
afterEach(() => cli.dispose());

describe("higgsnode health", () => {
  it("has the node look at everything, and prints it as one JSON document", async () => {
    const { code, out } = await cli.run("health", "--json");
    expect(code).toBe(0);
    expect(cli.node.calls).toEqual(["health.check"]);
    expect(JSON.parse(out)).toEqual(HEALTH_NOT_LOOKED);
  });

  it("prints history and uptime, and refuses numbers that are none", async () => {
    expect((await cli.run("health", "history", "--limit", "5")).out).toContain("Nothing has happened yet.");
    expect((await cli.run("health", "uptime")).out).toContain("Sharing has not been on yet.");
    expect((await cli.run("health", "history", "--limit", "many")).code).toBe(2);
    expect(cli.node.calls).toEqual(["health.history", "health.uptime"]);
  });
});

describe("healthText", () => {
  it("says what is wrong first, why, since when, and what is done about it", () => {
    const lines = healthText(ILL, NOW_MS).split("\n");
    expect(lines[0]).toBe("Something does not work.");
    expect(lines[2]).toMatch(/Names for guests +not working because of: Way to the internet/);
    expect(lines[3]).toMatch(/not working for 1 minute\. This computer has no internet connection\. Connect it\./);
    expect(lines.at(-1)).toBe("Way to the internet: attempt 4 to repair it follows in 20 seconds.");
  });
});

describe("the health of a node that does not share", () => {
  it("is one sentence", () => {
    expect(healthText({ ...ILL, overall: "off", recovery: { state: "idle" } }, NOW_MS)).toBe(
      "Sharing is off; nothing is looked at.",
    );
  });
});

describe("the health in status", () => {
  it("is the one word and what is shown as bad, no symptom and nothing that may heal itself", () => {
    expect(healthFacts(ILL, NOW_MS).map(([label]) => label)).toEqual(["Health", "Way to the internet", "Recovery"]);
    expect(healthFacts({ ...ILL, overall: "off" }, NOW_MS)).toEqual([]);
  });
});

describe("historyText", () => {
  it("has a line for each thing that happened", () => {
    const event = (id: number, changes: Partial<HealthEvent>): HealthEvent => ({
      id,
      at: FAKE_NOW,
      kind: "unhealthy",
      fact: "nat",
      error: null,
      step: null,
      attempt: null,
      durationMs: null,
      ...changes,
    });
    const text = historyText(
      [
        event(4, { kind: "woke", fact: null, durationMs: 3_600_000 }),
        event(3, { kind: "recovered", durationMs: 800 }),
        event(2, { kind: "recovery-step", step: "apply", attempt: 1 }),
        event(1, { error: { code: "firewall-gone", message: "Our rules are gone." } }),
      ],
      NOW_MS,
    );
    expect(text).toMatch(/the computer woke/);
    expect(text).toMatch(/repaired \(putting the network right, attempt 1\) +Firewall and NAT/);
    expect(text).toMatch(/stopped working +Firewall and NAT, Our rules are gone\./);
  });
});

describe("uptimeText", () => {
  it("gives the part of each day that worked", () => {
    const text = uptimeText([{ day: "2026-01-05", wantedSeconds: 1_000, workingSeconds: 995 }]);
    expect(text).toMatch(/2026-01-05 .*99\.5 %/);
  });
});
