import { beforeEach, describe, expect, it } from "vitest";
import type { ConnectionsEvent } from "../../src-shared/helper/connections.ts";
import { fail, ok, type Result } from "../../src-shared/result.ts";
import { ConnectionFeed, type FeedConnection } from "./connection-feed.ts";

class FakeConnection implements FeedConnection {
  readonly asked: string[] = [];
  answer: Result<unknown> = ok({});
  async call(_verb: "subscribe", { topics }: { topics: readonly string[] }): Promise<Result<unknown>> {
    this.asked.push(topics.join("+"));
    return this.answer;
  }
}

const BOTH = "network-change+connections";
const event: ConnectionsEvent = { topic: "connections", source: { state: "on" }, dropped: 0, ended: [] };

let connection: FakeConnection | undefined;
let wanted: boolean;
let accepted: number;
let lost: number;
let unexpected: unknown[];
let failing: Error | undefined;
let tell: (event: ConnectionsEvent) => void;
let feed: ConnectionFeed;

beforeEach(() => {
  connection = new FakeConnection();
  wanted = true;
  accepted = 0;
  lost = 0;
  unexpected = [];
  failing = undefined;
  tell = () => {};
  feed = new ConnectionFeed({
    connected: () => connection,
    onConnections: (listener) => {
      tell = listener;
      return () => {
        tell = () => {};
      };
    },
    wanted: () => {
      if (failing !== undefined) throw failing;
      return wanted;
    },
    accept: () => void accepted++,
    lost: () => void lost++,
    onUnexpected: (thrown) => unexpected.push(thrown),
  });
});

async function update(): Promise<void> {
  feed.update();
  await feed.settle();
}

describe("ConnectionFeed", () => {
  it("asks once for as long as nothing changes", async () => {
    await update();
    await update();
    expect(connection?.asked).toEqual([BOTH]);
  });

  it("asks for nothing while connections are not wanted", async () => {
    wanted = false;
    await update();
    expect(connection?.asked).toEqual([]);
  });

  it("ends the subscription when they are not wanted any more, and looks at nothing that still comes", async () => {
    await update();
    tell(event);
    wanted = false;
    tell(event);
    await update();
    expect(connection?.asked).toEqual([BOTH, "network-change"]);
    expect({ accepted, lost }).toEqual({ accepted: 1, lost: 1 });
  });

  it("asks again over each new connection to the helper", async () => {
    await update();
    connection = undefined;
    await update();
    connection = new FakeConnection();
    await update();
    expect(connection.asked).toEqual([BOTH]);
    expect(lost).toBe(1);
  });

  it("asks again after a refusal", async () => {
    const { asked } = connection ?? new FakeConnection();
    if (connection !== undefined) connection.answer = fail("helper-lost", "gone");
    await update();
    if (connection !== undefined) connection.answer = ok({});
    await update();
    await update();
    expect(asked).toEqual([BOTH, BOTH]);
  });

  it("goes on after something that should not happen, and tells of it", async () => {
    const thrown = new Error("a listener failed");
    failing = thrown;
    await update();
    failing = undefined;
    await update();
    expect(unexpected).toEqual([thrown]);
    expect(connection?.asked).toEqual([BOTH]);
  });

  it("does nothing any more once it is closed", async () => {
    feed.close();
    feed.close();
    await update();
    tell(event);
    expect(connection?.asked).toEqual([]);
    expect(accepted).toBe(0);
  });
});
