import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fakeClient } from "../ipc/testing/fake-node.ts";
import { changesOf } from "./limit.ts";
import { CliHarness } from "./testing/cli-harness.ts";

let cli: CliHarness;

beforeEach(async () => {
  cli = await CliHarness.create();
  await cli.serve();
  cli.node.clients = [fakeClient({ name: "Anna" })];
});

afterEach(async () => {
  await cli.dispose();
});

describe("higgsnode limit", () => {
  it("sets what is given, and shows the client with its limit as JSON", async () => {
    const set = await cli.run("limit", "set", "Anna", "--down", "10mbit", "--up", "5000kbit", "--json");
    expect(set.code).toBe(0);
    expect(JSON.parse(set.out)).toMatchObject({ name: "Anna", limit: { down: "10mbit", up: "5mbit" } });
    const more = await cli.run("limit", "set", "anna", "--priority", "9");
    expect(more.out).toBe("Anna: 10mbit down, 5mbit up, priority 9.\n");
  });

  it("lists limits, clears them, and says that there are none", async () => {
    await cli.run("limit", "set", "Anna", "--down", "10mbit", "--quota", "50GB", "--time-zone", "UTC");
    const listed = JSON.parse((await cli.run("limit", "list", "--json")).out);
    expect(listed).toMatchObject([{ name: "Anna", limit: { down: "10mbit" }, quota: { bytes: 50e9, usedBytes: 0 } }]);
    expect((await cli.run("limit", "list")).out).toContain("10mbit");
    expect((await cli.run("limit", "clear", "Anna")).out).toBe("Anna is not limited any more.\n");
    expect(JSON.parse((await cli.run("limit", "list", "--json")).out)).toEqual([]);
  });

  it("tells of a limit that is off, and ends with 1", async () => {
    const tested = await cli.run("limit", "test", "Anna");
    expect(tested.code).toBe(1);
    expect(tested.out).toContain("9800kbit of 10mbit: the limit holds");
    expect(tested.out).toContain("7mbit of 5mbit: OFF by more than 10 %");
  });

  it.each([
    [["--down", "10mbit; rm -rf /"], "rate-invalid"],
    [["--down=-1"], "rate-invalid"],
    [["--up", "NaN"], "rate-invalid"],
    [["--priority", "high"], "priority-invalid"],
    [["--quota", "lots"], "quota-invalid"],
    [["--quota", "1GB", "--quota-action", "slow:quickly"], "quota-invalid"],
    [["--quota", "1GB", "--reset-day", "0"], "quota-invalid"],
    [["--schedule", "someday 10:00-11:00"], "schedule-invalid"],
    [["--schedule", "fri-mon 10:00-11:00"], "schedule-invalid"],
    [["--schedule", "mon 11:00-10:00"], "schedule-invalid"],
    [["--schedule", "mon 10:00-11:00", "--outside", "fly"], "schedule-invalid"],
    [["--schedule", "mon 10:00-11:00", "--time-zone", "Mars/Olympus"], "schedule-invalid"],
  ])("refuses %j with one coded error", async (words, code) => {
    const refused = await cli.run("limit", "set", "Anna", "--json", ...words);
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.out)).toMatchObject({ error: { code } });
    expect(cli.node.clients[0]?.limit).toBeUndefined();
  });

  it("says an amount as it was given, and the hours", async () => {
    const words = ["--quota", "50GB", "--schedule", "mon,sat 18:00-23:00", "--outside", "pause", "--time-zone", "UTC"];
    expect((await cli.run("limit", "set", "Anna", ...words)).out).toBe(
      "Anna: no rate limit. 50.0 GB a month, 0 B used. mon,sat 18:00-23:00 (UTC); at other times paused.\n",
    );
  });

  it("wants something to set", async () => {
    expect((await cli.run("limit", "set", "Anna")).code).toBe(2);
  });

  it("reads a week as people write it", () => {
    const options = { schedule: "mon-wed,sat 18:00-23:00; sun 10:00-24:00", timeZone: "UTC" };
    expect(changesOf(options)).toMatchObject({
      value: {
        schedule: {
          windows: [
            { days: ["mon", "tue", "wed", "sat"], from: "18:00", to: "23:00" },
            { days: ["sun"], from: "10:00", to: "24:00" },
          ],
        },
      },
    });
  });
});
