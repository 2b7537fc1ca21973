import { describe, expect, it } from "vitest";
import type { PortMappingState } from "../../src-shared/model/port-mapping.ts";
import { ok } from "../../src-shared/result.ts";
import { silentLogger } from "../logs/testing/recording-log.ts";
import { greetGuests } from "./greet-guests.ts";
import type { NodeHelper } from "./node-surroundings.ts";

const HOME = { local: "192.168.77.10", gateway: "192.168.77.1" };
const OFFICE = { local: "10.1.0.7", gateway: "10.1.0.1" };
const PROBING: PortMappingState = { state: "off" };

function mapped(renewAt: string): PortMappingState {
  return {
    state: "mapped",
    since: "2026-01-01T00:00:00.000Z",
    protocol: "pcp",
    gateway: HOME.gateway,
    external: { host: "203.0.113.5", port: 51820 },
    internalPort: 51820,
    leaseEndsAt: null,
    renewAt,
    fallbacks: [],
  };
}

function greeter({ connected = true } = {}) {
  const calls: string[] = [];
  const connection = {
    call: async (verb: string) => {
      calls.push(verb);
      return ok({});
    },
  } as unknown as Pick<NodeHelper, "call">;
  const helper = { call: connection.call, connected: connected ? connection : undefined };
  return {
    calls,
    greet: greetGuests({
      helper,
      logger: silentLogger(),
    }),
  };
}

describe("greeting guests", () => {
  it("does nothing while nothing changes", () => {
    const { calls, greet } = greeter();
    for (let times = 0; times < 3; times++) greet(HOME, PROBING);
    expect(calls).toEqual([]);
  });

  it("happens once when the machine is somewhere else", () => {
    const { calls, greet } = greeter();
    greet(HOME, PROBING);
    greet(OFFICE, PROBING);
    greet(OFFICE, PROBING);
    expect(calls).toEqual(["greet"]);
  });

  it("happens once each time a router grants the port anew", () => {
    const { calls, greet } = greeter();
    greet(HOME, PROBING);
    greet(HOME, mapped("2026-01-01T01:00:00.000Z"));
    greet(HOME, mapped("2026-01-01T01:00:00.000Z"));
    greet(HOME, PROBING);
    greet(HOME, mapped("2026-01-01T02:00:00.000Z"));
    expect(calls).toEqual(["greet", "greet"]);
  });

  it("does not happen while the node does not share, or has no helper", () => {
    const off = greeter();
    off.greet(undefined, mapped("2026-01-01T01:00:00.000Z"));
    const alone = greeter({ connected: false });
    alone.greet(HOME, mapped("2026-01-01T01:00:00.000Z"));
    expect([off.calls, alone.calls]).toEqual([[], []]);
  });
});
