import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_SETTINGS } from "../../../src-shared/model/settings.ts";
import { fail, unwrap } from "../../../src-shared/result.ts";
import { FakeClock } from "../../../src-shared/testing/fake-clock.ts";
import { ClientRegistry } from "../../clients/client-registry.ts";
import { LOG_FILE_NAME } from "../../logs/sinks.ts";
import { openDatabase } from "../../storage/database.ts";
import { collectReport } from "./collect-report.ts";

let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "higgs-report-"));
});

afterEach(() => {
  rmSync(dataDir, { recursive: true, force: true });
});

function collect() {
  return collectReport({
    nowMs: 0,
    dataDir,
    state: null,
    settings: DEFAULT_SETTINGS,
    spec: null,
    machine: fail("not-permitted", "This needs root."),
    diagnosis: { version: "1", finishedAt: "2026-07-01T00:00:00.000Z", nodePhase: null, outcome: "pass", checks: [] },
    history: null,
    clients: [],
  });
}

describe("a report without a running node", () => {
  it("tells no name of a client that stands in the log", () => {
    const clock = new FakeClock();
    const { db } = unwrap(openDatabase(dataDir, { clock }));
    const registry = new ClientRegistry({ db, clock, settings: () => DEFAULT_SETTINGS });
    unwrap(registry.add("Great-aunt Mathilda"));
    registry.close();
    db.close();
    mkdirSync(dirname(join(dataDir, LOG_FILE_NAME)), { recursive: true });
    writeFileSync(join(dataDir, LOG_FILE_NAME), `${JSON.stringify({ message: "great-aunt mathilda left" })}\n`);
    const { json, text } = collect();
    expect(`${json}${text}`).not.toMatch(/mathilda/i);
    expect(JSON.parse(json).log[0]).toContain("client-1 left");
  });

  it("is written where there is no database", () => {
    expect(JSON.parse(collect().json)).toMatchObject({ state: "no node is running", log: [] });
  });
});
