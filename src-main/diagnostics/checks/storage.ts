/** The data folder: whether it is sound, private, and has room. */
import { existsSync, readdirSync, statfsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { DATABASE_FILE_NAME } from "../../storage/database.ts";
import { SETTINGS_FILE_NAME } from "../../storage/settings-store.ts";
import { type Check, failed, pass, skipped, warn } from "../check.ts";
import { MAX_CHECKED_BYTES, withDatabase } from "./stored-data.ts";

/** A day of an ordinary home's log is some megabytes: below this the database stops soon, below the other it is full. */
const LITTLE_BYTES = 200 * 1024 * 1024;
const FULL_BYTES = 20 * 1024 * 1024;

/** Anybody but the owner: group and others (chmod(1)). */
const FOR_OTHERS = 0o077;

const database: Check = {
  id: "storage.database",
  group: "storage",
  title: "The database is sound",
  run({ dataDir }) {
    const path = join(dataDir, DATABASE_FILE_NAME);
    const fix = "Stop the node and start it again: it keeps the damaged file and begins a new one.";
    try {
      return withDatabase(dataDir, (view) => {
        if (view.state === "missing") return pass("There is none yet.");
        if (view.bytes > MAX_CHECKED_BYTES) return skipped(`${size(view.bytes)} are too much to read through now.`);
        const found = Object.values(view.db.prepare("PRAGMA quick_check(1)").get() ?? {})[0];
        return found === "ok" ? pass(`${size(view.bytes)}, quick_check ok.`) : failed(`${path}: ${String(found)}`, fix);
      });
    } catch (error) {
      return failed(`${path}: ${error instanceof Error ? error.message : String(error)}.`, fix);
    }
  },
};

const space: Check = {
  id: "storage.space",
  group: "storage",
  title: "The disk has room",
  run({ dataDir }) {
    const folder = nearestFolder(dataDir);
    try {
      const { bavail, bsize } = statfsSync(folder);
      const free = bavail * bsize;
      const detail = `${size(free)} are free for ${folder}.`;
      if (free < FULL_BYTES) return failed(detail, "Delete something there, or choose another folder with --data-dir.");
      return free < LITTLE_BYTES ? warn(detail, "Delete something there soon.") : pass(detail);
    } catch (error) {
      return skipped(`The system does not say: ${error instanceof Error ? error.message : String(error)}.`);
    }
  },
};

const permissions: Check = {
  id: "storage.permissions",
  group: "storage",
  title: "Only you can read the data folder",
  run({ dataDir }) {
    if (!existsSync(dataDir)) return pass("There is none yet.");
    if (process.platform === "win32") return skipped("Windows keeps access lists instead.");
    const folder = statSync(dataDir);
    // Nobody reads a file in a folder that only its owner may enter.
    if ((folder.mode & FOR_OTHERS) === 0) return pass(`${dataDir} is yours alone.`);
    const open = [DATABASE_FILE_NAME, SETTINGS_FILE_NAME, "relay.key", ...databaseCompanions(dataDir)].filter(
      (name) => {
        const path = join(dataDir, name);
        return existsSync(path) && (statSync(path).mode & FOR_OTHERS) !== 0;
      },
    );
    const fix = `chmod 700 ${dataDir}`;
    if (open.length > 0)
      return failed(`Others can read ${open.join(", ")} in ${dataDir}.`, `${fix} && chmod 600 ${dataDir}/*.*`);
    return warn(`Others can look into ${dataDir} (mode ${(folder.mode & 0o777).toString(8)}).`, fix);
  },
};

function databaseCompanions(dataDir: string): string[] {
  try {
    return readdirSync(dataDir).filter((name) => name.startsWith(DATABASE_FILE_NAME) && name !== DATABASE_FILE_NAME);
  } catch {
    return [];
  }
}

/** The folder itself, or where it would be made. */
function nearestFolder(path: string): string {
  let folder = path;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

function size(bytes: number): string {
  const mib = bytes / (1024 * 1024);
  return mib >= 1024 ? `${(mib / 1024).toFixed(1)} GiB` : `${mib.toFixed(mib < 10 ? 1 : 0)} MiB`;
}

export const storageChecks: readonly Check[] = [database, space, permissions];
