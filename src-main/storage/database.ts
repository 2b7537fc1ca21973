/**
 * The node's database. A file that is damaged, or that a newer version wrote, is set aside under a name
 * that says so and a fresh one is begun: sharing goes on, nothing is overwritten, and the owner is told.
 */
import { closeSync, existsSync, openSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../src-shared/clock.ts";
import { fail, type HiggsError, ok, type Result } from "../../src-shared/result.ts";
import { MIGRATIONS, migrate, schemaVersionOf } from "./migrations.ts";
import { openSqlite } from "./sqlite.ts";

export const DATABASE_FILE_NAME = "higgsnode.db";

/** How long a statement waits for another process, such as a backup, that holds the file; the node stands still meanwhile. */
const BUSY_TIMEOUT_MS = 2_000;

/** Result codes of SQLite: the file is damaged, or no database at all (sqlite3.h). */
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

const PRAGMAS = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA foreign_keys = ON;
  PRAGMA secure_delete = ON;
`;

export interface OpenedDatabase {
  db: DatabaseSync;
  /** `database-corrupt` or `database-newer` where a file was set aside. */
  notices: HiggsError[];
}

type Verdict = "usable" | "corrupt" | "newer";

/**
 * Opens `higgsnode.db` in the data folder (mode 0600) and brings its schema up to date.
 * Error: `database-unavailable` when the file can be neither used nor set aside.
 */
export function openDatabase(
  dataDir: string,
  { clock, busyTimeoutMs = BUSY_TIMEOUT_MS }: { clock: Clock; busyTimeoutMs?: number },
): Result<OpenedDatabase> {
  const path = join(dataDir, DATABASE_FILE_NAME);
  const notices: HiggsError[] = [];
  try {
    const verdict = existsSync(path) ? judge(path, busyTimeoutMs) : "usable";
    if (verdict !== "usable") notices.push(notice(verdict, path, setAside(path, verdict, clock.nowMs())));
    // SQLite gives a new file the umask's mode, and its -wal and -shm the mode of the file.
    closeSync(openSync(path, "a", 0o600));
    const db = openSqlite(path, { timeout: busyTimeoutMs });
    try {
      db.exec(PRAGMAS);
      migrate(db);
    } catch (error) {
      db.close();
      throw error;
    }
    return ok({ db, notices });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return fail(
      "database-unavailable",
      `The database ${path} cannot be opened: ${reason}.`,
      "Check the disk, the permissions of the file, and whether another program holds it.",
    );
  }
}

/** Looks without changing: a writable connection would carry a -wal file into a database we mean to keep as it is. */
function judge(path: string, busyTimeoutMs: number): Verdict {
  const db = openSqlite(path, { readOnly: true, timeout: busyTimeoutMs });
  try {
    const check = db.prepare("PRAGMA quick_check(1)").get();
    if (check?.quick_check !== "ok") return "corrupt";
    return schemaVersionOf(db) > MIGRATIONS.length ? "newer" : "usable";
  } catch (error) {
    const code = error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : undefined;
    // A file that is locked or out of reach is not a damaged one; it must stay where it is.
    if (code !== SQLITE_CORRUPT && code !== SQLITE_NOTADB) throw error;
    return "corrupt";
  } finally {
    db.close();
  }
}

/** Renames the file and what belongs to it; returns the new path. The companions keep the suffix SQLite looks for. */
function setAside(path: string, verdict: "corrupt" | "newer", nowMs: number): string {
  const time = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, "");
  const base = `${path}.${verdict}-${time}`;
  const companions = ["", "-wal", "-shm"];
  let aside = base;
  for (let n = 2; companions.some((suffix) => existsSync(aside + suffix)); n++) aside = `${base}-${n}`;
  for (const suffix of companions) {
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  }
  return aside;
}

function notice(verdict: "corrupt" | "newer", path: string, aside: string): HiggsError {
  const bringBack = `stop the node and rename it to ${path}`;
  return verdict === "corrupt"
    ? {
        code: "database-corrupt",
        message: `The database was damaged. It was kept as ${aside}, and an empty one was begun.`,
        hint: `To bring it back, repair it (sqlite3 FILE .recover), ${bringBack}.`,
      }
    : {
        code: "database-newer",
        message: `The database was written by a newer version of HiggsNode. It was kept as ${aside}, and an empty one was begun.`,
        hint: `To bring it back, install the newer version again, ${bringBack}.`,
      };
}
