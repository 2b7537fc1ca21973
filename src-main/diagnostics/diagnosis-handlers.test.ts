import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_SETTINGS } from "../../src-shared/model/settings.ts";
import { fail, HiggsFailure } from "../../src-shared/result.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { NOT_LOOKED } from "../../src-shared/testing/not-looked.ts";
import { type DiagnosisParts, diagnosisHandlers } from "./diagnosis-handlers.ts";

const STOPPED = { phase: "stopped", since: "2026-07-01T00:00:00.000Z" } as const;
const CALLER = { signal: new AbortController().signal };
const REFUSED = fail("not-permitted", "What only root can see was not looked at.");

let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "higgs-handlers-"));
});

afterEach(() => {
  rmSync(dataDir, { recursive: true, force: true });
});

function rig(more: Partial<DiagnosisParts> = {}) {
  const events: string[] = [];
  const settings = { ...DEFAULT_SETTINGS, egressTargets: [] };
  const handlers = diagnosisHandlers({
    clock: new FakeClock(),
    version: "1.2.3",
    dataDir,
    node: { state: STOPPED, plan: undefined },
    helper: { call: async () => REFUSED },
    settings: () => settings,
    state: () => ({
      version: "1.2.3",
      node: STOPPED,
      relay: { state: "off" },
      portMapping: { state: "off" },
      ...NOT_LOOKED,
    }),
    privacy: () => ({
      settings: { logTraffic: false, logDNS: false, logMetadata: true, anonymizeIPs: true, maxLogRetention: 7 },
      connectionLog: { state: "waiting" },
      lost: { kernel: 0, notWritten: 0 },
      lastRetention: null,
    }),
    clients: () => [],
    records: () => [],
    findClient: (which) => fail("client-unknown", `There is no client ${which}.`),
    machineFacts: async () => REFUSED,
    setTestPeer: async () => REFUSED,
    healthHistory: () => ({ events: [], more: false }),
    emit: (name) => events.push(name),
    ...more,
  });
  return { handlers, events };
}

describe("the calls of the diagnosis", () => {
  it("end the run that is under way, whose caller gets what was finished", async () => {
    const { handlers } = rig();
    // The machine's own resolver is asked by two of them, and never has the time to answer.
    const running = handlers["diagnose.run"]({}, CALLER);
    await new Promise(setImmediate);
    await handlers["diagnose.cancel"]({}, CALLER);
    const { checks } = await running;
    expect(checks.find(({ id }) => id === "storage.space")?.outcome).not.toBe("skipped");
    expect(checks.length).toBeGreaterThan(45);
    expect(await handlers["diagnose.cancel"]({}, CALLER)).toEqual({});
  });

  it("tell of each check as it ends, but not of those that go into a report", async () => {
    const { handlers, events } = rig();
    const ended = { signal: AbortSignal.abort() };
    const { checks } = await handlers["diagnose.run"]({}, ended);
    expect(events).toHaveLength(checks.length);
    const { text } = await handlers["diagnose.report"]({}, ended);
    expect(text).toContain("HiggsNode report");
    expect(events).toHaveLength(checks.length);
  });

  it("refuse a trace of nobody, and a self-test of a node that does not share", async () => {
    const { handlers } = rig();
    const query = { client: "nobody", to: "192.0.2.1", port: 443, protocol: "tcp" } as const;
    await expect(handlers["diagnose.trace"](query, CALLER)).rejects.toThrow(HiggsFailure);
    await expect(handlers["diagnose.selfTest"]({}, CALLER)).rejects.toThrow("Sharing is off.");
  });
});
