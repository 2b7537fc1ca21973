/** The folder that holds everything a node remembers: settings, database, logs, control socket. */
import { randomUUID } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, statSync, unlinkSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, posix, resolve, win32 } from "node:path";
import { fail, ok, type Result } from "../../src-shared/result.ts";

/** Only its owner may look inside: the database names the people who use this node. */
const DATA_DIR_MODE = 0o700;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Where the platform keeps the settings of a program: `$XDG_CONFIG_HOME` (XDG Base Directory
 * Specification; a relative value is ignored, as it asks), `~/Library/Application Support`, `%APPDATA%`.
 */
export function defaultDataDir(env: Environment, platform: string): string {
  if (platform === "win32") {
    const home = env.USERPROFILE ?? homedir();
    return win32.join(env.APPDATA ?? win32.join(home, "AppData", "Roaming"), "HiggsNode");
  }
  const home = env.HOME ?? homedir();
  if (platform === "darwin") return posix.join(home, "Library", "Application Support", "HiggsNode");
  const xdg = env.XDG_CONFIG_HOME;
  const base = xdg !== undefined && posix.isAbsolute(xdg) ? xdg : posix.join(home, ".config");
  return posix.join(base, "higgsnode");
}

/**
 * Makes the folder where it is missing (0700) and proves that files can be made in it.
 * An existing folder keeps its mode. Error: `data-dir-not-writable`.
 */
export function openDataDir(path: string): Result<{ path: string }> {
  const absolute = resolve(path);
  try {
    makeFolder(absolute);
    if (!statSync(absolute).isDirectory()) return notWritable(absolute, "it is not a folder");
    // Permission bits do not tell (access lists, read-only mounts, root): only an attempt does.
    const probe = resolve(absolute, `.write-test-${randomUUID()}`);
    closeSync(openSync(probe, "wx", 0o600));
    unlinkSync(probe);
    return ok({ path: absolute });
  } catch (error) {
    return notWritable(absolute, reasonOf(error));
  }
}

/**
 * `mkdirSync` with `recursive` never returns where a parent exists that answers ENOENT to every new name,
 * as /proc does, so the path is walked here.
 */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  mkdirSync(path, { mode: DATA_DIR_MODE });
}

function notWritable(path: string, reason: string): Result<never> {
  return fail(
    "data-dir-not-writable",
    `The data folder ${path} cannot be used: ${reason}.`,
    "Make the folder writable for this user, or name another one with --data-dir.",
  );
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "EACCES":
    case "EPERM":
      return "permission denied";
    case "EROFS":
      return "its file system is read-only";
    case "ENOSPC":
      return "the disk is full";
    case "EEXIST":
    case "ENOTDIR":
      return "a part of the path is a file";
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
