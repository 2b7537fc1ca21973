import { describe, expect, it } from "vitest";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { Shutdown } from "./shutdown.ts";

const nothing = () => {};

describe("the end of the app", () => {
  it("closes the newest first, each before the next, and once", async () => {
    const clock = new FakeClock();
    const shutdown = new Shutdown(clock);
    const closed: string[] = [];
    shutdown.add(() => void closed.push("log"));
    shutdown.add(async () => {
      await Promise.resolve();
      closed.push("node");
    });
    shutdown.add(() => void closed.push("tray"));
    const [first, second] = await Promise.all([shutdown.drain(1000, nothing), shutdown.drain(1000, nothing)]);
    expect([first, second]).toEqual(["drained", "drained"]);
    expect(closed).toEqual(["tray", "node", "log"]);
    expect(clock.pending).toBe(0);
  });

  it("goes on after one that fails, and says so", async () => {
    const shutdown = new Shutdown(new FakeClock());
    const closed: string[] = [];
    const told: unknown[] = [];
    shutdown.add(() => void closed.push("node"));
    shutdown.add(() => Promise.reject(new Error("tray")));
    expect(await shutdown.drain(1000, (thrown) => told.push(thrown))).toBe("failed");
    expect(closed).toEqual(["node"]);
    expect(told).toHaveLength(1);
  });

  it("does not wait past its deadline", async () => {
    const clock = new FakeClock();
    const shutdown = new Shutdown(clock);
    shutdown.add(() => new Promise<void>(() => {}));
    const drained = shutdown.drain(1000, nothing);
    await clock.advance(1000);
    expect(await drained).toBe("late");
  });

  it("closes at once what is opened after it has begun", async () => {
    const shutdown = new Shutdown(new FakeClock());
    await shutdown.drain(1000, nothing);
    const closed = Promise.withResolvers<void>();
    shutdown.add(closed.resolve);
    await closed.promise;
    expect(shutdown.begun).toBe(true);
  });
});
