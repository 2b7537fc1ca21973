/** Where the helper keeps its state, and where its socket is. Both directories belong to root. */
import { chmodSync, chownSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fail, ok, type Result } from "../src-shared/result.ts";

const STATE_DIR = "/var/lib/higgsnode";
const RUNTIME_DIR = "/run/higgsnode";

export interface HelperPaths {
  stateDir: string;
  /** Holds socket and token of the one user who may talk to this helper. */
  runtimeDir: string;
}

/** `HIGGS_STATE_DIR` moves both, for tests; it is root's own environment, not the caller's. */
export function helperPaths(uid: number, env: { HIGGS_STATE_DIR?: string | undefined }): HelperPaths {
  const override = env.HIGGS_STATE_DIR;
  if (override === undefined || override === "")
    return { stateDir: STATE_DIR, runtimeDir: join(RUNTIME_DIR, String(uid)) };
  return { stateDir: override, runtimeDir: join(override, "run", String(uid)) };
}

/**
 * Makes both directories. The state is root's alone; the runtime directory can be entered by everybody,
 * because socket and token in it are the user's own (0600), and written by root only, so that nobody can
 * put a link in our way.
 */
export function prepareDirectories({ stateDir, runtimeDir }: HelperPaths): Result<void> {
  for (const [path, mode] of [
    [stateDir, 0o700],
    [runtimeDir, 0o755],
  ] as const) {
    try {
      mkdirSync(path, { recursive: true, mode });
      const found = lstatSync(path);
      if (!found.isDirectory() || (process.getuid?.() ?? 0) !== found.uid) {
        return fail("state-dir-unsafe", `${path} does not belong to root.`, "Remove it and start again.");
      }
      chmodSync(path, mode);
    } catch (error) {
      return fail("state-dir-unwritable", `${path} cannot be used: ${error instanceof Error ? error.message : error}`);
    }
  }
  return ok(undefined);
}

/**
 * Takes the one place for a helper in this state directory. A lock whose process is gone is taken over;
 * the start time tells a process from another that was given the same number later.
 */
export function takeLock(stateDir: string): Result<{ release(): void }> {
  const path = join(stateDir, "helper.lock");
  const mine = `${process.pid} ${startTimeOf(process.pid) ?? "?"}`;
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      writeFileSync(path, mine, { flag: "wx", mode: 0o600 });
      return ok({ release: () => rmSync(path, { force: true }) });
    } catch {
      const [pid, startTime] = readText(path).split(" ");
      if (startTime !== undefined && startTimeOf(Number(pid)) === startTime) {
        return fail("helper-running", `Another helper is running (process ${pid}).`, "Stop the other HiggsNode first.");
      }
      rmSync(path, { force: true });
    }
  }
  return fail("helper-running", "Another helper is starting at the same time.");
}

/** Gives a file in the runtime directory to the user, and to nobody else. */
export function giveTo(uid: number, path: string): void {
  chmodSync(path, 0o600);
  chownSync(path, uid, lstatSync(path).gid);
}

/** Field 22 of /proc/PID/stat: ticks after boot at which the process started (proc(5)). */
function startTimeOf(pid: number): string | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  // The command name in field 2 may hold spaces and parentheses.
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}
