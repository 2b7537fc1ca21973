import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseSince } from "./privacy.ts";
import { CliHarness } from "./testing/cli-harness.ts";

let cli: CliHarness;

beforeEach(async () => {
  cli = await CliHarness.create();
  await cli.serve();
});
afterEach(async () => {
  await cli.node.privacy.close();
  await cli.dispose();
});

function logConnections(count: number): void {
  const rig = cli.node.privacy;
  for (let n = 0; n < count; n++) rig.manager.logConnectionMetadata(rig.connection({ destinationPort: n }));
}

describe("higgsnode privacy", () => {
  it("shows what is logged and what is stored", async () => {
    logConnections(3);
    const { code, out } = await cli.run("privacy", "show");
    expect(code).toBe(0);
    expect(out).toMatch(/^anonymizeIPs +true$/m);
    expect(out).toMatch(/^connection log +on, nothing to log while the node is not sharing$/m);
    expect(out).toMatch(/^connections +3 /m);
    expect(JSON.parse((await cli.run("privacy", "show", "--json")).out)).toMatchObject({
      settings: { logMetadata: true },
      connectionLog: { state: "waiting" },
      stored: { connections: { count: 3 } },
    });
  });

  it("says what to install where connections cannot be logged, and what is missing from the log", async () => {
    cli.node.privacy.manager.acceptConnections({
      topic: "connections",
      source: {
        state: "unavailable",
        error: {
          code: "conntrack-missing",
          message: "The connection log is not available.",
          hint: "Install conntrack.",
        },
      },
      dropped: 12,
      ended: [],
    });
    const { out } = await cli.run("privacy", "show");
    expect(out).toContain("The connection log is not available. Install conntrack.");
    expect(out).toMatch(/dropped by the kernel +12$/m);
  });

  it("sets what is given, and false is false", async () => {
    const { code, out } = await cli.run("privacy", "set", "logMetadata=false", "maxLogRetention=30");
    expect(code).toBe(0);
    expect(out).toMatch(/^connection log +off$/m);
    expect(cli.node.privacy.manager.getSettings()).toMatchObject({ logMetadata: false, maxLogRetention: 30 });
  });

  it.each([
    [["set", "logEverything=true"], 1, "unknown-setting"],
    [["set", "logDNS=perhaps"], 1, "settings-invalid"],
    [["set", "logDNS"], 2, "bad-usage"],
    [["set", "logDNS=true", "logDNS=false"], 2, "bad-usage"],
    [["log", "--since", "yesterday"], 2, "bad-usage"],
    [["log", "--kind", "mail"], 2, "bad-usage"],
    [["log", "--limit", "1e9"], 2, "bad-usage"],
    [["export", "--format", "xls"], 2, "bad-usage"],
    [["export"], 2, "bad-usage"],
    [["export", "--format", "csv", "--out", "/no/such/folder/x"], 1, "export-not-written"],
  ])("refuses %j", async (argv, code, name) => {
    const ran = await cli.run("privacy", ...argv, "--json");
    expect(ran.code).toBe(code);
    expect(JSON.parse(ran.out)).toMatchObject({ error: { code: name } });
  });

  it("prints the log, more than one page of it, the newest first", async () => {
    expect((await cli.run("privacy", "log")).out).toBe("Nothing is logged.\n");
    logConnections(1_200);
    const all = JSON.parse((await cli.run("privacy", "log", "--json", "--limit", "5000")).out);
    expect(all).toHaveLength(1_200);
    expect(all[0]).toMatchObject({ port: 1_199, destination: "203.0.113.0" });
    const lines = (await cli.run("privacy", "log", "--limit", "2")).out.trimEnd().split("\n");
    expect(lines).toHaveLength(3);
    expect(lines[1]).toContain("203.0.113.0:1199");
  });

  it("prints only what came since a time", async () => {
    logConnections(1);
    expect(JSON.parse((await cli.run("privacy", "log", "--json", "--since", "2025-01-01")).out)).toHaveLength(1);
    expect(JSON.parse((await cli.run("privacy", "log", "--json", "--since", "5m")).out)).toEqual([]);
  });

  it("exports to stdout, or into a file for the owner alone", async () => {
    logConnections(600);
    const { out } = await cli.run("privacy", "export", "--format", "jsonl");
    expect(
      out
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line).port),
    ).toEqual(Array.from({ length: 600 }, (_, n) => n));
    const file = path.join(cli.dataDir, "log.csv");
    const written = await cli.run("privacy", "export", "--format", "csv", "--out", file);
    expect(written).toMatchObject({ code: 0, out: "" });
    expect(readFileSync(file, "utf8").trimEnd().split("\r\n")).toHaveLength(601);
    if (process.platform !== "win32") expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it("pauses, says so, and resumes", async () => {
    expect(await cli.run("privacy", "pause")).toMatchObject({ code: 0, out: "Logging is paused.\n" });
    expect(cli.node.settings.loggingPaused).toBe(true);
    const { out } = await cli.run("privacy", "show");
    expect(out).toMatch(/^logging +paused; resume it with: higgsnode privacy resume$/m);
    expect(out).toMatch(/^connection log +paused$/m);
    expect(JSON.parse((await cli.run("privacy", "show", "--json")).out)).toMatchObject({ paused: true });
    expect(JSON.parse((await cli.run("privacy", "resume", "--json")).out)).toEqual({ paused: false });
    expect((await cli.run("privacy", "show")).out).not.toContain("paused");
  });

  it("purges, and proves it", async () => {
    logConnections(5);
    const { out } = await cli.run("privacy", "purge", "--json");
    expect(JSON.parse(out)).toMatchObject({
      before: { connections: { count: 5 } },
      after: { connections: { count: 0 } },
    });
    expect((await cli.run("privacy", "purge")).out).toMatch(/^connections +0 +0$/m);
  });
});

describe("parseSince", () => {
  const nowMs = Date.UTC(2026, 0, 31, 12);

  it.each([
    ["30m", nowMs - 1_800_000],
    ["12h", nowMs - 43_200_000],
    ["7d", nowMs - 604_800_000],
    ["2026-01-30T12:00:00Z", nowMs - 86_400_000],
    ["2026-01-30T14:00:00+02:00", nowMs - 86_400_000],
    ["2026-01-31", Date.UTC(2026, 0, 31)],
  ])("reads %s", (text, expected) => {
    expect(parseSince(text, nowMs)).toBe(expected);
  });

  it.each(["", "7", "d", "-1d", "1w", "2026-13-01", "31.01.2026", "now", "999999d"])("does not read %j", (text) => {
    expect(parseSince(text, nowMs)).toBeUndefined();
  });
});
