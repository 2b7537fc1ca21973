import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { unwrap } from "../../src-shared/result.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { createLogger, type LogRecord } from "./logger.ts";
import { Redactor } from "./redact.ts";
import { createFileSink } from "./sinks.ts";

const clock = new FakeClock(Date.UTC(2026, 0, 1));
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "higgs-logs-"));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function memorySink() {
  const records: LogRecord[] = [];
  return { records, write: (record: LogRecord) => void records.push(record), close: () => {} };
}

describe("createLogger", () => {
  it("writes records of its level and above, with the area and fields of the child", () => {
    const sink = memorySink();
    const logger = createLogger({ sink, clock, level: "warn" }).child({ area: "dns", fields: { run: 1 } });
    logger.info("not written");
    logger.warn("late", { ms: 5 });
    expect(sink.records).toEqual([
      { atMs: clock.nowMs(), level: "warn", area: "dns", message: "late", fields: { run: 1, ms: 5 } },
    ]);
  });

  it("takes an error in place of fields", () => {
    const sink = memorySink();
    const error = new Error("boom");
    createLogger({ sink, clock }).error("failed", error);
    expect(sink.records[0]?.fields).toEqual({ error });
  });
});

describe("sinks", () => {
  it("write redacted lines of JSON, until they are closed", () => {
    const sink = unwrap(createFileSink({ dataDir: root, redactor: new Redactor() }));
    const logger = createLogger({ sink, clock });
    logger.info("hello 11.22.33.44", { peer: "11.22.33.44" });
    sink.close();
    logger.info("too late");
    const text = readFileSync(join(root, "logs", "higgsnode.log"), "utf8");
    expect(text.endsWith("\n")).toBe(true);
    expect(
      text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { at: "2026-01-01T00:00:00.000Z", level: "info", area: "node", message: "hello ip-1", fields: { peer: "ip-1" } },
    ]);
  });

  it("write a file for its owner alone, and go on with it after a restart", () => {
    for (const message of ["one", "two"]) {
      const sink = unwrap(createFileSink({ dataDir: root, redactor: new Redactor() }));
      createLogger({ sink, clock }).info(message);
      sink.close();
      sink.close();
    }
    const path = join(root, "logs", "higgsnode.log");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const messages = readFileSync(path, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).message);
    expect(messages).toEqual(["one", "two"]);
  });

  it("rotate a full file and keep a fixed number of old ones", () => {
    const sink = unwrap(createFileSink({ dataDir: root, redactor: new Redactor(), maxFileBytes: 400, keptFiles: 2 }));
    const logger = createLogger({ sink, clock });
    for (let n = 0; n < 40; n++) logger.info(`line ${n} ${"x".repeat(60)}`);
    sink.close();
    const files = readdirSync(join(root, "logs")).sort();
    expect(files).toEqual(["higgsnode.log", "higgsnode.log.1", "higgsnode.log.2"]);
    for (const name of files) expect(statSync(join(root, "logs", name)).size).toBeLessThanOrEqual(400);
    expect(readFileSync(join(root, "logs", "higgsnode.log"), "utf8")).toContain("line 39");
    expect(readFileSync(join(root, "logs", "higgsnode.log.1"), "utf8")).not.toContain("line 39");
  });

  it("survive a folder that disappears, and say how many records were lost", () => {
    const sink = unwrap(createFileSink({ dataDir: root, redactor: new Redactor(), maxFileBytes: 400, keptFiles: 0 }));
    const logger = createLogger({ sink, clock });
    logger.info("x".repeat(200));
    rmSync(join(root, "logs"), { recursive: true });
    writeFileSync(join(root, "logs"), "in the way");
    logger.info("lost 1 ".repeat(20));
    logger.info("lost 2");
    rmSync(join(root, "logs"));
    expect(createFileSink({ dataDir: root, redactor: new Redactor() }).ok).toBe(true);
    logger.info("back");
    sink.close();
    const text = readFileSync(join(root, "logs", "higgsnode.log"), "utf8");
    expect(text).toContain("2 records before this one");
    expect(text).toContain("back");
  });

  it("report a folder in which no log can be made", () => {
    writeFileSync(join(root, "logs"), "in the way");
    const result = createFileSink({ dataDir: root, redactor: new Redactor() });
    expect(result).toMatchObject({ ok: false, error: { code: "log-not-writable" } });
  });
});
