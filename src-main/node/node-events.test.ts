import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { EventName } from "../../src-shared/ipc/contract.ts";
import type { NodeState } from "../../src-shared/model/node-state.ts";
import { DEFAULT_SETTINGS } from "../../src-shared/model/settings.ts";
import { NOT_LOOKED } from "../../src-shared/testing/not-looked.ts";
import { recordingLog } from "../logs/testing/recording-log.ts";
import { PrivacyRig } from "../privacy/testing/privacy-rig.ts";
import { NodeEvents } from "./node-events.ts";

const rig = new PrivacyRig();
let state: NodeState;
let events: NodeEvents;
let told: EventName[];
const { logger, records } = recordingLog();

afterAll(() => rig.close());

beforeEach(() => {
  state = {
    version: "1.2.3",
    node: { phase: "stopped", since: "2026-01-01T00:00:00Z" },
    relay: { state: "off" },
    portMapping: { state: "off" },
    ...NOT_LOOKED,
  };
  records.length = 0;
  told = [];
  events = new NodeEvents({
    state: () => state,
    clients: () => [],
    settings: () => DEFAULT_SETTINGS,
    privacy: () => rig.manager.state(),
    logger,
  });
});

describe("what the node tells", () => {
  it("is each state once it has changed, and not again while it is the same", () => {
    events.onEvent((name) => told.push(name));
    events.publishState();
    state = { ...state, portMapping: { state: "probing", since: "2026-01-01T00:00:00Z", gateway: "192.168.1.1" } };
    events.publishState();
    events.publishState();
    events.publishClients();
    expect(told).toEqual(["node.stateChanged"]);
  });

  it("is told to the others where one listener fails, and the log says so", () => {
    events.onEvent(() => {
      throw new Error("gone");
    });
    events.onEvent((name) => told.push(name));
    events.emit("health.recorded", {});
    expect(told).toEqual(["health.recorded"]);
    expect(records).toMatchObject([{ level: "error", fields: { event: "health.recorded" } }]);
  });

  it("is told to nobody who has left, and to nobody after the end", () => {
    const leave = events.onEvent((name) => told.push(name));
    leave();
    events.onEvent((name) => told.push(name));
    events.close();
    events.emit("health.recorded", {});
    expect(told).toEqual([]);
  });

  it("has the present value of each state for whoever begins to listen", () => {
    expect(events.current().map(({ name }) => name)).toEqual([
      "node.stateChanged",
      "clients.changed",
      "settings.changed",
      "privacy.changed",
    ]);
  });
});
