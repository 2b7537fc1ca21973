import { describe, expect, it } from "vitest";
import type { Client } from "../../src-shared/model/client.ts";
import { HEALTH_NOT_LOOKED, type HealthFact } from "../../src-shared/model/health.ts";
import type { NodeState, PhaseState } from "../../src-shared/model/node-state.ts";
import { NOT_LOOKED } from "../../src-shared/testing/not-looked.ts";
import { FAKE_EXIT, FAKE_NOW, fakeClient } from "../ipc/testing/fake-node.ts";
import { NOTHING_SEEN, type Notice, noticesOfClients, noticesOfState } from "./notifications.ts";

const since = FAKE_NOW;
const error = { code: "no-internet", message: "there is no internet", hint: "Look at the cable." };
const stopped: PhaseState = { phase: "stopped", since };
const starting: PhaseState = { phase: "starting", since, step: "apply" };
const running: PhaseState = { phase: "running", since, exit: FAKE_EXIT };
const failed: PhaseState = { phase: "failed", since, error };

function state(node: PhaseState, ...facts: Partial<HealthFact>[]): NodeState {
  const known = facts.map((fact) => ({
    code: "egressIpv4" as const,
    severity: "error" as const,
    cutsConnectivity: true,
    state: "bad" as const,
    since,
    error,
    waiting: false,
    ...fact,
  }));
  return {
    version: "1",
    node,
    relay: { state: "off" },
    portMapping: { state: "off" },
    ...NOT_LOOKED,
    health: { ...HEALTH_NOT_LOOKED, facts: known },
  };
}

function seeStates(...states: NodeState[]): Notice[] {
  let memory = NOTHING_SEEN;
  return states.flatMap((next) => {
    const seen = noticesOfState(memory, next);
    memory = seen.memory;
    return seen.notices;
  });
}

function seeClients(...lists: Client[][]): Notice[] {
  let memory = NOTHING_SEEN;
  return lists.flatMap((next) => {
    const seen = noticesOfClients(memory, next);
    memory = seen.memory;
    return seen.notices;
  });
}

const offline: Notice = { kind: "offline", error };

describe("what is told of the connection", () => {
  it("is nothing while it works, is started or is stopped", () => {
    expect(seeStates(state(stopped), state(starting), state(running), state(running), state(stopped))).toEqual([]);
  });

  it("is that it went offline, once, and that it is back, once", () => {
    const bad = state(running, {});
    const repairing = state({ phase: "recovering", since, exit: FAKE_EXIT, cause: error, attempt: 1 });
    expect(seeStates(state(running), bad, bad, repairing, bad, state(running), state(running))).toEqual([
      offline,
      { kind: "online" },
    ]);
  });

  it("is that sharing failed", () => {
    expect(seeStates(state(starting), state(failed), state(failed))).toEqual([offline]);
  });

  it.each<[string, Partial<HealthFact>]>([
    ["has not lasted long enough to be shown", { waiting: true }],
    ["leaves guests connected", { cutsConnectivity: false }],
    ["is a symptom of another", { silencedBy: "networkRoute" }],
    ["is unknown", { state: "unknown" }],
  ])("is nothing of a fault that %s", (_, fact) => {
    expect(seeStates(state(running), state(running, fact), state(running))).toEqual([]);
  });

  it("is not that it is back while a fault that cut guests off is still being watched", () => {
    expect(seeStates(state(running, {}), state(running, { waiting: true }))).toEqual([offline]);
  });

  it("is nothing more once the owner has switched it off", () => {
    expect(seeStates(state(failed), state(stopped), state(starting), state(running))).toEqual([offline]);
  });
});

describe("what is told of clients", () => {
  const anna = fakeClient({ id: "a", name: "Anna" });
  const met = { ...anna, lastHandshakeAt: FAKE_NOW };
  const quota = (usedBytes: number) =>
    ({
      ...met,
      quota: {
        bytes: 1000,
        usedBytes,
        action: "pause",
        resetDay: 1,
        timeZone: "UTC",
        since: "2026-01-01",
        exhausted: false,
      },
    }) as Client;

  it("is nothing of those who were there when the app started", () => {
    expect(seeClients([met, quota(900)])).toEqual([]);
  });

  it("is nothing of a client that was only made", () => {
    expect(seeClients([], [anna])).toEqual([]);
  });

  it("is that one connects for the first time, and not that it does again", () => {
    const later = { ...met, lastHandshakeAt: "2026-01-02T00:00:00.000Z" };
    expect(seeClients([], [anna], [met], [later], [met])).toEqual([{ kind: "new-client", name: "Anna" }]);
  });

  it("is that 80 % of a quota is used, once a month", () => {
    const notices = seeClients([quota(790)], [quota(799)], [quota(806)], [quota(950)], [quota(0)], [quota(1000)]);
    expect(notices).toEqual([
      { kind: "quota", name: "Anna", percent: 80 },
      { kind: "quota", name: "Anna", percent: 100 },
    ]);
  });

  it("is nothing of one who has no quota, or was removed", () => {
    expect(seeClients([met], [{ ...met, usage: { rxBytes: 1e12, txBytes: 1e12 } }], [])).toEqual([]);
  });
});
