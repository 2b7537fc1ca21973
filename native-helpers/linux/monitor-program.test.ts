import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { MAX_RESTART_MS, MonitorProgram, RESTART_MS } from "./monitor-program.ts";

describe("a program that prints what happens", () => {
  let folder: string;
  let clock: FakeClock;
  let heard: string[];
  let restarts: number;
  let program: MonitorProgram | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "higgs-monitor-"));
    clock = new FakeClock();
    heard = [];
    restarts = 0;
  });
  afterEach(() => {
    program?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function run(script: string): void {
    const path = join(folder, "monitor.sh");
    writeFileSync(path, script);
    program = new MonitorProgram({
      clock,
      command: ["sh", path],
      onLines: (lines) => heard.push(...lines.split("\n")),
      onRestarted: () => restarts++,
    });
  }

  async function until(what: () => boolean): Promise<void> {
    const deadlineMs = performance.now() + 10_000;
    while (!what()) {
      if (performance.now() > deadlineMs) throw new Error("waited in vain");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  it("is heard line by line, whatever pieces they come in", async () => {
    run("printf 'one\\ntw'; sleep 0.05; printf 'o\\nthree\\nunfinished'; exec sleep 60");
    await until(() => heard.length === 3);
    expect(heard).toEqual(["one", "two", "three"]);
  });

  it("is started again when it ends, after ever longer waits", async () => {
    const counter = join(folder, "starts");
    run(`echo x >> ${counter}`);
    const starts = () => (existsSync(counter) ? readFileSync(counter, "utf8").length / 2 : 0);
    for (let waitMs = RESTART_MS, round = 1; round <= 8; round++, waitMs = Math.min(MAX_RESTART_MS, waitMs * 2)) {
      await until(() => starts() === round && clock.pending === 1);
      await clock.advance(waitMs - 1);
      expect(clock.pending).toBe(1);
      await clock.advance(1);
    }
    await until(() => restarts === 8);
  });

  it("ends with whoever wanted it, and is not started again", async () => {
    const pidFile = join(folder, "pid");
    run(`echo $$ > ${pidFile}; exec sleep 60`);
    await until(() => existsSync(pidFile) && readFileSync(pidFile, "utf8").endsWith("\n"));
    const pid = Number(readFileSync(pidFile, "utf8"));
    program?.stop();
    program?.stop();
    await until(() => !existsSync(`/proc/${pid}`));
    expect(clock.pending).toBe(0);
  });
});
