/** The checks of what is on disk, over a real database in a temporary folder. */
import { chmodSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PrivacyState } from "../../../src-shared/model/privacy.ts";
import { DEFAULT_SETTINGS, type Settings } from "../../../src-shared/model/settings.ts";
import { unwrap } from "../../../src-shared/result.ts";
import { FakeClock } from "../../../src-shared/testing/fake-clock.ts";
import { NOT_LOOKED } from "../../../src-shared/testing/not-looked.ts";
import { openDatabase } from "../../storage/database.ts";
import type { CheckContext } from "../check.ts";
import { alone, NOW_MS, verdictOf } from "../testing/check-context.ts";
import { privacyChecks } from "./privacy.ts";
import { storageChecks } from "./storage.ts";

const DAY_MS = 86_400_000;
let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "higgs-stored-"));
  chmodSync(dataDir, 0o700);
});

afterEach(() => {
  rmSync(dataDir, { recursive: true, force: true });
});

/** A database with one connection of that age. */
function storing(ageMs: number, exact = 0): void {
  const { db } = unwrap(openDatabase(dataDir, { clock: new FakeClock() }));
  db.prepare(
    "INSERT INTO connection_log (ended_at, client, destination, protocol, exact) VALUES (?, 'c', '192.0.2.0', 'tcp', ?)",
  ).run(NOW_MS - ageMs, exact);
  db.close();
}

function context(settings: Partial<Settings> = {}, more: Partial<CheckContext> = {}): CheckContext {
  return alone({}, { dataDir, settings: { ...DEFAULT_SETTINGS, ...settings }, ...more });
}

const NODE: Partial<CheckContext> = {
  status: {
    relay: { state: "off" },
    portMapping: { state: "off" },
    reachability: NOT_LOOKED.reachability,
    natPath: NOT_LOOKED.natPath,
  },
};

describe("privacy", () => {
  const ask = (id: string, from: CheckContext) => verdictOf(privacyChecks, id, from);

  it("passes before anything is stored", async () => {
    for (const id of ["privacy.retention", "privacy.anonymous", "privacy.permitted"]) {
      expect(await ask(id, context())).toEqual({ outcome: "pass", detail: "Nothing is stored yet." });
    }
  });

  it("counts what should have been deleted: a failure while a node runs, a warning while none does", async () => {
    storing(8 * DAY_MS);
    expect(await ask("privacy.retention", context({}, NODE))).toMatchObject({
      outcome: "fail",
      detail: "1 entries are older than 7 days.",
    });
    expect((await ask("privacy.retention", context())).outcome).toBe("warn");
    expect((await ask("privacy.retention", context({ maxLogRetention: 30 }, NODE))).outcome).toBe("pass");
  });

  it("counts whole addresses where they are not wanted", async () => {
    storing(DAY_MS, 1);
    expect((await ask("privacy.anonymous", context())).outcome).toBe("fail");
    expect((await ask("privacy.anonymous", context({ anonymizeIPs: false }))).outcome).toBe("skipped");
  });

  it("finds entries of a log that was switched off before they were made", async () => {
    storing(DAY_MS);
    const path = join(dataDir, "settings.json");
    writeFileSync(path, '{"logMetadata":false}');
    const changedAt = (ageMs: number) => utimesSync(path, new Date(NOW_MS - ageMs), new Date(NOW_MS - ageMs));
    changedAt(2 * DAY_MS);
    expect(await ask("privacy.permitted", context({ logMetadata: false }))).toMatchObject({
      outcome: "fail",
      detail: "Still logged: connections.",
    });
    expect((await ask("privacy.permitted", context({ loggingPaused: true }))).outcome).toBe("fail");
    expect((await ask("privacy.permitted", context())).outcome).toBe("pass");
    changedAt(DAY_MS / 2);
    expect((await ask("privacy.permitted", context({ logMetadata: false }))).outcome).toBe("pass");
  });

  it("warns where connections are missing from the log", async () => {
    const state = (more: Partial<PrivacyState>): Partial<CheckContext> => ({
      privacy: {
        settings: { logTraffic: false, logDNS: false, logMetadata: true, anonymizeIPs: true, maxLogRetention: 7 },
        connectionLog: { state: "on" },
        lost: { kernel: 0, notWritten: 0 },
        lastRetention: null,
        ...more,
      },
    });
    const outcomeOf = async (more: Partial<PrivacyState>) =>
      (await ask("privacy.recording", context({}, state(more)))).outcome;
    expect(await outcomeOf({})).toBe("pass");
    expect(await outcomeOf({ lost: { kernel: 3, notWritten: 0 } })).toBe("warn");
    const error = { code: "x", message: "No conntrack." };
    expect(await outcomeOf({ connectionLog: { state: "unavailable", error } })).toBe("warn");
    expect((await ask("privacy.recording", context())).outcome).toBe("skipped");
  });
});

describe("storage", () => {
  const ask = (id: string, from = context()) => verdictOf(storageChecks, id, from);

  it("reads the database through, and finds one that is damaged", async () => {
    expect((await ask("storage.database")).outcome).toBe("pass");
    storing(0);
    expect(await ask("storage.database")).toMatchObject({ outcome: "pass", detail: expect.stringContaining("ok") });
    writeFileSync(join(dataDir, "higgsnode.db"), "no database at all ".repeat(100));
    expect(await ask("storage.database")).toMatchObject({
      outcome: "fail",
      fix: expect.stringContaining("start it again"),
    });
  });

  it("sees who else may look into the folder, and what they could read there", async () => {
    expect((await ask("storage.permissions")).outcome).toBe("pass");
    chmodSync(dataDir, 0o755);
    expect((await ask("storage.permissions")).outcome).toBe("warn");
    writeFileSync(join(dataDir, "settings.json"), "{}");
    chmodSync(join(dataDir, "settings.json"), 0o644);
    expect(await ask("storage.permissions")).toMatchObject({
      outcome: "fail",
      detail: expect.stringContaining("settings.json"),
      fix: expect.stringContaining(`chmod 700 ${dataDir}`),
    });
  });

  it("tells how much room there is, also where the folder is not made yet", async () => {
    expect((await ask("storage.space", context({}, { dataDir: join(dataDir, "a/b") }))).detail).toContain(dataDir);
  });
});
