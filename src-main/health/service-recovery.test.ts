import { describe, expect, it } from "vitest";
import type { RelayLinkState } from "../../src-shared/model/relay-link.ts";
import { LONGEST_WAIT_MS } from "../node/recovery-ladder.ts";
import { HealthRig, STOPPED } from "./testing/health-rig.ts";

const WAITING: RelayLinkState = {
  state: "waiting",
  error: { code: "relay-refused", message: "The relay does not answer." },
  retryAt: "2026-01-01T00:01:00.000Z",
};
const SHOWN_AFTER_MS = 10_000;

function setRelay(rig: HealthRig, relay: RelayLinkState): void {
  rig.context = { ...rig.context, relay };
  rig.manager.update();
}

/** A relay that has been lost for so long that it is shown. */
async function withoutRelay(act: (rig: HealthRig) => void = () => {}): Promise<HealthRig> {
  const rig = new HealthRig();
  rig.manager.update();
  await rig.clock.advance(1_000);
  rig.repairs("relay", "reconnect", () => act(rig));
  setRelay(rig, WAITING);
  await rig.clock.advance(SHOWN_AFTER_MS);
  return rig;
}

describe("a service that fails", () => {
  it("is repaired once it is shown, and not before", async () => {
    const rig = new HealthRig();
    rig.repairs("relay", "reconnect");
    setRelay(rig, WAITING);
    await rig.clock.advance(SHOWN_AFTER_MS - 1_000);
    expect(rig.acted).toEqual([]);
    await rig.clock.advance(1_000);
    expect(rig.acted).toEqual(["reconnect"]);
    expect(rig.manager.state.recovery).toMatchObject({
      state: "running",
      cause: "relay",
      step: "reconnect",
      attempt: 1,
    });
  });

  it("is recovered when it works again, and the history says how long that took", async () => {
    const rig = await withoutRelay((self) => queueMicrotask(() => setRelay(self, { state: "off" })));
    // Off is nobody's success.
    expect(rig.recorded.filter(({ kind }) => kind === "recovered")).toEqual([]);
    const other = await withoutRelay();
    await other.clock.advance(1_000);
    setRelay(other, CONNECTED);
    expect(other.manager.state.recovery).toEqual({ state: "idle" });
    expect(other.recorded.map(({ kind }) => kind)).toEqual(["unhealthy", "healthy", "recovery-step", "recovered"]);
    expect(other.recorded.at(-1)).toMatchObject({ fact: "relay", step: "reconnect", durationMs: 1_000 });
  });

  it("is given up aloud after three attempts, and tried on ever more slowly", async () => {
    const rig = await withoutRelay();
    await rig.clock.advance(60_000);
    expect(rig.recorded.filter(({ kind }) => kind === "recovery-failed")).toHaveLength(1);
    expect(rig.emitted).toContainEqual(["recoveryFailed", "relay"]);
    const before = rig.acted.length;
    await rig.clock.advance(60 * 60_000);
    const attempts = rig.acted.length - before;
    expect(attempts).toBeGreaterThan(8);
    expect(attempts).toBeLessThanOrEqual((60 * 60_000) / LONGEST_WAIT_MS + 5);
    setRelay(rig, CONNECTED);
    expect(rig.recorded.at(-1)).toMatchObject({ kind: "recovered", fact: "relay" });
  });

  it("is tried at once when the way out has changed", async () => {
    const rig = await withoutRelay();
    await rig.clock.advance(5 * 60_000);
    const before = rig.acted.length;
    rig.subject = "another uplink";
    rig.manager.update();
    expect(rig.acted).toHaveLength(before + 1);
  });

  it("is left alone while the exit itself is repaired, and when it turns out a symptom", async () => {
    const rig = await withoutRelay();
    const since = new Date(rig.clock.nowMs()).toISOString();
    rig.exitRecovery = { state: "waiting", cause: "helper", attempt: 2, since, nextAt: since };
    rig.manager.update();
    const before = rig.acted.length;
    await rig.clock.advance(60_000);
    expect(rig.acted).toHaveLength(before);
    rig.exitRecovery = { state: "idle" };
    rig.seeProblems("no-uplink");
    await rig.clock.advance(60_000);
    expect(rig.acted).toHaveLength(before);
    expect(rig.manager.state.recovery).toEqual({ state: "idle" });
  });

  it("is forgotten when sharing is switched off", async () => {
    const rig = await withoutRelay();
    rig.become(STOPPED);
    const before = rig.acted.length;
    await rig.clock.advance(10 * 60_000);
    expect(rig.acted).toHaveLength(before);
    expect(rig.clock.pending).toBe(0);
  });

  it("survives a repair that throws", async () => {
    const rig = await withoutRelay(() => {
      throw new Error("a mistake in a repair");
    });
    expect(rig.logged).toContainEqual(expect.objectContaining({ message: "a repair failed" }));
    await rig.clock.advance(30_000);
    expect(rig.acted.length).toBeGreaterThan(1);
  });

  it("is one at a time", async () => {
    const rig = new HealthRig();
    rig.repair = (fact) => ({ step: "remap", act: () => void rig.acted.push(fact.code) });
    const reason = { code: "mapping-lost", message: "Forgotten." };
    const portMapping = { state: "unavailable", since: WAITING_SINCE, reason, nextProbeAt: null } as const;
    rig.context = { ...rig.context, portMapping, relay: WAITING };
    rig.manager.update();
    await rig.clock.advance(60_000);
    expect(new Set(rig.acted)).toEqual(new Set(["portMapping"]));
  });
});

const WAITING_SINCE = "2026-01-01T00:00:00.000Z";
const CONNECTED: RelayLinkState = {
  state: "connected",
  since: WAITING_SINCE,
  url: "wss://relay.example.org",
  rttMs: 20,
  publicEndpoint: { host: "203.0.113.9", port: 4000 },
  nodeId: "n",
  sessions: 0,
  rxBytes: 0,
  txBytes: 0,
  dropped: 0,
};
