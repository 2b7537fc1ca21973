import { describe, expect, it } from "vitest";
import type { Client } from "../../src-shared/model/client.ts";
import type { HealthEvent } from "../../src-shared/model/health.ts";
import type { PhaseState } from "../../src-shared/model/node-state.ts";
import { DEFAULT_SETTINGS } from "../../src-shared/model/settings.ts";
import { NOT_LOOKED } from "../../src-shared/testing/not-looked.ts";
import { newer } from "./revised.ts";
import {
  afterAnswer,
  afterEvent,
  beforeCall,
  CLIENTS_STALE,
  MAX_TRAFFIC_POINTS,
  NOTHING_KNOWN,
  type ServerState,
} from "./server-state.ts";

const since = "2026-01-01T12:00:00.000Z";

function nodeState(revision: number, phase: "stopped" | "stopping", run = "r1") {
  const node: PhaseState = { phase, since };
  return {
    run,
    revision,
    value: { version: "1", node, relay: { state: "off" }, portMapping: { state: "off" }, ...NOT_LOOKED },
  };
}

function client(id: string, name = id): Client {
  return {
    id,
    name,
    publicKey: "key",
    addresses: [],
    createdAt: since,
    paused: false,
    connected: false,
    usage: { rxBytes: 0, txBytes: 0 },
  };
}

function after(held: ServerState, ...events: [string, unknown][]): ServerState {
  let state = held;
  for (const [name, payload] of events) {
    const change = afterEvent(state, name as Parameters<typeof afterEvent>[1], payload);
    if (change === CLIENTS_STALE) throw new Error("stale");
    state = { ...state, ...change };
  }
  return state;
}

describe("revisions", () => {
  it("drop what is older or the same, and begin anew with another run", () => {
    const held = nodeState(5, "stopped");
    expect(newer(undefined, held)).toBe(held);
    expect(newer(held, nodeState(4, "stopping"))).toBe(held);
    expect(newer(held, nodeState(5, "stopping"))).toBe(held);
    expect(newer(held, nodeState(6, "stopping")).revision).toBe(6);
    expect(newer(held, nodeState(0, "stopping", "r2")).run).toBe("r2");
  });
});

describe("the list of clients", () => {
  const held = after(NOTHING_KNOWN, [
    "clients.changed",
    { run: "r1", revision: 3, value: [client("a"), client("b"), client("c")] },
  ]);
  const delta = (base: number, revision: number, changed: Client[], removed: string[], run = "r1") =>
    ["clients.delta", { run, base, revision, changed, removed }] as const;

  it("takes a delta: changed ones in their place, new ones at the end, removed ones out", () => {
    const now = after(held, [...delta(3, 4, [client("d"), client("a", "Anna")], ["b"])]);
    expect(now.clients?.revision).toBe(4);
    expect(now.clients?.value.map(({ name }) => name)).toEqual(["Anna", "c", "d"]);
  });

  it("leaves the clients that did not change the very same, so that they are not drawn again", () => {
    const now = after(held, [...delta(3, 4, [client("a")], [])]);
    expect(now.clients?.value[1]).toBe(held.clients?.value[1]);
  });

  it("drops a delta that came late", () => {
    expect(afterEvent(held, ...delta(1, 2, [], ["a"]))).toEqual({});
  });

  it("has to be asked for where a delta builds on another list", () => {
    expect(afterEvent(held, ...delta(4, 5, [], []))).toBe(CLIENTS_STALE);
    expect(afterEvent(held, ...delta(3, 4, [], [], "r2"))).toBe(CLIENTS_STALE);
    expect(afterEvent(NOTHING_KNOWN, ...delta(3, 4, [], []))).toBe(CLIENTS_STALE);
  });
});

describe("what the node tells", () => {
  it("is taken from answers as well as from events, the newer one", () => {
    const told = after(NOTHING_KNOWN, ["node.stateChanged", nodeState(7, "stopping")]);
    expect(afterAnswer(told, "node.off", nodeState(6, "stopped")).node?.revision).toBe(7);
    expect(afterAnswer(told, "node.off", nodeState(8, "stopped")).node?.revision).toBe(8);
    expect(afterAnswer(told, "limits.clear", client("a"))).toEqual({});
  });

  it("keeps settings and privacy, whose answer has no revision, until the next event", () => {
    const settings = { run: "r1", revision: 1, value: DEFAULT_SETTINGS };
    expect(after(NOTHING_KNOWN, ["settings.changed", settings]).settings).toBe(settings);
    const held = after(NOTHING_KNOWN, ["privacy.changed", { run: "r1", revision: 4, value: "before" }]);
    const answered = { ...held, ...afterAnswer(held, "privacy.set", "after") };
    expect(answered.privacy).toEqual({ run: "r1", revision: 4, value: "after" });
    expect(after(answered, ["privacy.changed", { run: "r1", revision: 5, value: "event" }]).privacy?.value).toBe(
      "event",
    );
  });

  it("gathers traffic points in order, no more than five minutes of them", () => {
    const point = (seconds: number) => ({
      at: new Date(seconds * 1000).toISOString(),
      rxBytesPerSecond: 1,
      txBytesPerSecond: seconds,
    });
    const many = Array.from(
      { length: MAX_TRAFFIC_POINTS + 5 },
      (_, at) => ["traffic.point", point(at * 2)] as [string, unknown],
    );
    const now = after(NOTHING_KNOWN, ...many);
    expect(now.traffic).toHaveLength(MAX_TRAFFIC_POINTS);
    expect(afterEvent(now, "traffic.point", point(4))).toEqual({ traffic: now.traffic });
  });

  it("has each line of the health history once, the newest first", () => {
    const line = (id: number): HealthEvent => ({
      id,
      at: since,
      kind: "woke",
      fact: null,
      error: null,
      step: null,
      attempt: null,
      durationMs: 1,
    });
    const now = after(
      NOTHING_KNOWN,
      ["health.recorded", line(1)],
      ["health.recorded", line(2)],
      ["health.recorded", line(1)],
    );
    expect(now.healthEvents.map(({ id }) => id)).toEqual([2, 1]);
  });

  it("gathers the progress of a diagnosis, and begins anew with the next one", () => {
    const check = (id: string) => ({ id, group: "dns", title: id, outcome: "pass", detail: "", durationMs: 1 });
    const now = after(
      NOTHING_KNOWN,
      ["diagnose.progress", { done: 1, total: 2, check: check("a") }],
      ["diagnose.progress", { done: 2, total: 2, check: check("b") }],
    );
    expect(now.diagnosis).toMatchObject({ done: 2, total: 2, checks: [{ id: "a" }, { id: "b" }] });
    expect({ ...now, ...beforeCall(now, "diagnose.run") }.diagnosis?.checks).toEqual([]);
    expect(beforeCall(now, "diagnose.cancel").diagnosis).toEqual({ ...now.diagnosis, cancelled: true });
    const tested = after(now, [
      "diagnose.selfTestProgress",
      { stage: "dns", outcome: "pass", detail: "", durationMs: 1 },
    ]);
    expect(tested.selfTest).toHaveLength(1);
    expect(beforeCall(NOTHING_KNOWN, "diagnose.selfTest")).toEqual({ selfTest: [] });
    expect(beforeCall(NOTHING_KNOWN, "node.on")).toEqual({});
  });
});
