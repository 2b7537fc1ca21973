import { describe, expect, it } from "vitest";
import type { ConnectionsEvent, EndedConnection } from "../../src-shared/helper/connections.ts";
import { withoutOwnConnections } from "./own-connections.ts";

function connection(source: string): EndedConnection {
  return {
    protocol: "tcp",
    source,
    destination: "203.0.113.5",
    destinationPort: 443,
    sent: null,
    received: null,
    endedAtMs: 0,
    durationSeconds: 1,
  };
}

function event(...sources: string[]): ConnectionsEvent {
  return { topic: "connections", source: { state: "on" }, dropped: 3, ended: sources.map(connection) };
}

describe("withoutOwnConnections", () => {
  const own = ["10.66.0.1", "fd00:1:2:3::1"];

  it("leaves out what the node did itself, however its address is written", () => {
    const left = withoutOwnConnections(event("10.66.0.1", "10.66.0.2", "fd00:1:2:3:0:0:0:1"), own);
    expect(left.ended.map(({ source }) => source)).toEqual(["10.66.0.2"]);
    expect(left.dropped).toBe(3);
  });

  it("passes on what is guests' alone as it came", () => {
    const given = event("10.66.0.2", "fd00:1:2:3::2");
    expect(withoutOwnConnections(given, own)).toBe(given);
  });
});
