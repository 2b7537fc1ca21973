import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { withLifeTied } from "./tied-life.ts";

/** What the helper keeps running: each is handed a program that writes down who it is, and then only waits. */
const KEEPERS = {
  "what is said of links and rules": `
    import { MonitorProgram } from "MODULES/monitor-program.ts";
    new MonitorProgram({ clock: systemClock, command, onLines() {}, onRestarted() {} });`,
  "what is said of connections": `
    import { ConntrackWatch } from "MODULES/conntrack-watch.ts";
    const watch = new ConntrackWatch({ clock: systemClock, command });
    watch.setGuests([]);
    watch.add({ onEvent() {}, isBehind: () => false });`,
} as const;

let folder: string;
let helper: ChildProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "higgs-tied-"));
});

afterEach(() => {
  helper?.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

function eventually(assertion: () => void): Promise<void> {
  return vi.waitFor(assertion, { interval: 10, timeout: 20_000 });
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
}

describe("a program whose life is tied to the helper's", () => {
  it.each(Object.entries(KEEPERS))("that listens to %s ends when the helper is killed", async (_, keeper) => {
    const pidFile = join(folder, "pid");
    const waiting = join(folder, "waiting.sh");
    writeFileSync(waiting, `echo $$ > ${pidFile}.new; mv ${pidFile}.new ${pidFile}; exec sleep 600`);
    const script = join(folder, "helper.ts");
    writeFileSync(
      script,
      `import { systemClock } from "MODULES/../../src-shared/clock.ts";
       const command = ["sh", ${JSON.stringify(waiting)}];
       ${keeper}
       setInterval(() => {}, 60_000);`.replaceAll("MODULES", import.meta.dirname),
    );
    helper = spawn(process.execPath, [script], { stdio: "ignore" });
    await eventually(() => expect(existsSync(pidFile)).toBe(true));
    const pid = Number(readFileSync(pidFile, "utf8"));
    expect(isAlive(pid)).toBe(true);
    helper.kill("SIGKILL");
    await eventually(() => expect(isAlive(pid)).toBe(false));
  });

  it("is started under its own name, with its own arguments", () => {
    const command = withLifeTied(["conntrack", "-E", "--", "x y"]);
    expect(command.slice(-4)).toEqual(["conntrack", "-E", "--", "x y"]);
  });
});
