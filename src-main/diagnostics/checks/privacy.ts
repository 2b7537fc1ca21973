/** Whether what is stored about guests is what the owner allows. */
import { statSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { SETTINGS_FILE_NAME } from "../../storage/settings-store.ts";
import { type Check, type CheckContext, failed, pass, skipped, type Verdict, warn } from "../check.ts";
import { hasTable, numberOf, withDatabase } from "./stored-data.ts";

const DAY_MS = 86_400_000;
/** Retention runs every hour, and some time is needed for many rows. */
const RETENTION_LATE_MS = 2 * 3_600_000;

/** What waits to be written when a log is switched off is on disk by then. */
const WRITTEN_WITHIN_MS = 60_000;

/** Each log with the time of its rows, milliseconds since the epoch. */
const LOGS = [
  { table: "connection_log", time: "ended_at", exact: true },
  { table: "dns_log", time: "at", exact: true },
  { table: "traffic_log", time: "minute", exact: false },
] as const;

const PURGE = "Delete the logs now: higgsnode privacy purge";

function overLogs(context: CheckContext, look: (db: DatabaseSync) => Verdict): Verdict {
  try {
    return withDatabase(context.dataDir, (view) => {
      if (view.state === "missing") return pass("Nothing is stored yet.");
      return LOGS.every(({ table }) => hasTable(view.db, table)) ? look(view.db) : pass("Nothing is stored yet.");
    });
  } catch (error) {
    return skipped(`The database cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

const retention: Check = {
  id: "privacy.retention",
  group: "privacy",
  title: "What is too old has been deleted",
  run: (context) =>
    overLogs(context, (db) => {
      const { maxLogRetention } = context.settings;
      const before = context.nowMs - maxLogRetention * DAY_MS - RETENTION_LATE_MS;
      const overdue = LOGS.reduce(
        (sum, { table, time }) => sum + numberOf(db, `SELECT count(*) FROM ${table} WHERE ${time} < ?`, before),
        0,
      );
      if (overdue === 0) return pass(`Nothing is older than ${maxLogRetention} days.`);
      const detail = `${overdue} entries are older than ${maxLogRetention} days.`;
      // Nobody deletes while no node runs; the next start does.
      return context.status === null
        ? warn(`${detail} No node runs that could delete them.`, PURGE)
        : failed(detail, PURGE);
    }),
};

const anonymous: Check = {
  id: "privacy.anonymous",
  group: "privacy",
  title: "Addresses are stored as anonymous as you want",
  run: (context) =>
    overLogs(context, (db) => {
      if (!context.settings.anonymizeIPs) return skipped("You keep whole addresses (anonymizeIPs is false).");
      const exact = LOGS.filter((log) => log.exact).reduce(
        (sum, { table }) => sum + numberOf(db, `SELECT count(*) FROM ${table} WHERE exact = 1`),
        0,
      );
      return exact === 0
        ? pass("No whole address is stored.")
        : failed(`${exact} entries hold whole addresses.`, PURGE);
    }),
};

const permitted: Check = {
  id: "privacy.permitted",
  group: "privacy",
  title: "Nothing is logged that is switched off",
  run: (context) =>
    overLogs(context, (db) => {
      const { logMetadata, logDNS, logTraffic, loggingPaused } = context.settings;
      const allowed = { connection_log: logMetadata, dns_log: logDNS, traffic_log: logTraffic };
      // Entries from before the settings were last changed may be from before it was switched off; they go with retention.
      const since = settledSinceMs(context.dataDir);
      const off = LOGS.filter(({ table }) => !allowed[table] || loggingPaused);
      const wrong = off.filter(
        ({ table, time }) =>
          since !== undefined && numberOf(db, `SELECT count(*) FROM ${table} WHERE ${time} > ?`, since) > 0,
      );
      if (wrong.length > 0) return failed(`Still logged: ${namesOf(wrong)}.`, PURGE);
      const on = LOGS.filter((log) => !off.includes(log));
      return pass(`Logged: ${on.length === 0 ? "nothing" : namesOf(on)}.`);
    }),
};

/** From when on the present settings hold for certain; undefined where they never were anything but the defaults. */
function settledSinceMs(dataDir: string): number | undefined {
  try {
    return statSync(join(dataDir, SETTINGS_FILE_NAME)).mtimeMs + WRITTEN_WITHIN_MS;
  } catch {
    return undefined;
  }
}

function namesOf(logs: readonly (typeof LOGS)[number][]): string {
  return logs.map(({ table }) => NAMES[table]).join(", ");
}

const NAMES = { connection_log: "connections", dns_log: "DNS questions", traffic_log: "traffic" } as const;

const recording: Check = {
  id: "privacy.recording",
  group: "privacy",
  title: "The connection log is complete",
  run({ privacy }) {
    if (privacy === null) return skipped("No node is running.");
    const { connectionLog, lost } = privacy;
    if (connectionLog.state === "off") return skipped("Connections are not logged.");
    if (connectionLog.state === "unavailable") {
      return warn(connectionLog.error.message, connectionLog.error.hint ?? "Connections are not logged.");
    }
    const missing = lost.kernel + lost.notWritten;
    if (missing === 0) return pass(connectionLog.state === "on" ? "Nothing is missing." : "Nothing to record yet.");
    return warn(`${missing} connections are missing from it.`, "Look at the load of this computer, and its disk.");
  },
};

export const privacyChecks: readonly Check[] = [retention, anonymous, permitted, recording];
