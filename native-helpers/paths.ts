/** Where the helper keeps its state, and where its socket is. Both directories belong to root. */
import { chmodSync, chownSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fail, ok, type Result } from "../src-shared/result.ts";

const STATE_DIR = "/var/lib/higgsnode";
const RUNTIME_DIR = "/run/higgsnode";

/** Result code of SQLite for a database that another connection holds (sqlite.org/rescode.html). */
const SQLITE_BUSY = 5;

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
 * Makes the directories. The state is root's alone; the runtime directory and the one that holds it can be
 * entered by everybody, because socket and token in it are the user's own (0600), and written by root only,
 * so that nobody can put a link in our way. A directory that others could write to may hold what they put
 * there, so it is refused and not mended.
 */
export function prepareDirectories({ stateDir, runtimeDir }: HelperPaths): Result<void> {
  for (const [path, mode] of [
    [stateDir, 0o700],
    [dirname(runtimeDir), 0o755],
    [runtimeDir, 0o755],
  ] as const) {
    try {
      mkdirSync(path, { recursive: true, mode });
      const found = lstatSync(path);
      if (!found.isDirectory() || (process.getuid?.() ?? 0) !== found.uid) {
        return fail("state-dir-unsafe", `${path} does not belong to root.`, "Remove it and start again.");
      }
      if ((found.mode & 0o022) !== 0) {
        return fail("state-dir-unsafe", `${path} can be written to by others.`, "Remove it and start again.");
      }
      chmodSync(path, mode);
    } catch (error) {
      return fail("state-dir-unwritable", `${path} cannot be used: ${error instanceof Error ? error.message : error}`);
    }
  }
  return ok(undefined);
}

/**
 * Takes the one place for a helper in this state directory. The lock is SQLite's exclusive one (fcntl(2)
 * record locks): the kernel drops it with the process that held it, however that ended, so there is no
 * stale lock that two helpers could take over at the same time.
 */
export function takeLock(stateDir: string): Result<{ release(): void }> {
  const pidPath = join(stateDir, "helper.pid");
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(join(stateDir, "helper.lock"), { timeout: 0 });
    lock.exec("BEGIN EXCLUSIVE");
    writeFileSync(pidPath, String(process.pid), { mode: 0o600 });
  } catch (error) {
    lock?.close();
    if (error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY) {
      const holder = /^[0-9]{1,10}$/.exec(readText(pidPath))?.[0] ?? "unknown";
      return fail(
        "helper-running",
        `Another helper is running (process ${holder}).`,
        "Stop the other HiggsNode first.",
      );
    }
    return fail(
      "state-dir-unwritable",
      `${stateDir} cannot be locked: ${error instanceof Error ? error.message : error}`,
    );
  }
  const held = lock;
  return ok({
    release: () => {
      if (held.isOpen) held.close();
    },
  });
}

/** Gives a file in the runtime directory to the user, and to nobody else. */
export function giveTo(uid: number, path: string): void {
  chmodSync(path, 0o600);
  chownSync(path, uid, lstatSync(path).gid);
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}
