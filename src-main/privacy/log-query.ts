/** Pages of the logs, for the interface and for export. */
import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import type { LogEntry, LogKind, LogPage, LogQuery } from "../../src-shared/model/privacy.ts";
import { fail, ok, type Result } from "../../src-shared/result.ts";

type Value = string | number;

const CURSOR = /^(\d{1,15}):(\d{1,15})$/;

const amount = z.number().nullable();
const common = { id: z.number(), time: z.number(), client: z.string(), client_name: z.string().nullable() };

const connectionRow = z.object({
  ...common,
  destination: z.string(),
  port: z.number().nullable(),
  protocol: z.string(),
  sent_bytes: amount,
  sent_packets: amount,
  received_bytes: amount,
  received_packets: amount,
  duration_s: amount,
  exact: z.number(),
});
const dnsRow = z.object({ ...common, name: z.string(), type: z.string(), exact: z.number() });
const trafficRow = z.object({
  ...common,
  sent_bytes: z.number(),
  received_bytes: z.number(),
  sent_packets: amount,
  received_packets: amount,
});

interface Source {
  table: string;
  time: string;
  /** Columns that a search looks into. */
  searched: readonly string[];
  entry: (row: unknown) => { id: number; timeMs: number; entry: LogEntry };
}

const SOURCES: Record<LogKind, Source> = {
  connections: {
    table: "connection_log",
    time: "ended_at",
    searched: ["log.destination", "log.protocol"],
    entry: (given) => {
      const row = connectionRow.parse(given);
      const both = (bytes: number | null, packets: number | null) =>
        bytes === null || packets === null ? null : { bytes, packets };
      return {
        id: row.id,
        timeMs: row.time,
        entry: {
          kind: "connections",
          endedAt: iso(row.time),
          startedAt: row.duration_s === null ? null : iso(row.time - row.duration_s * 1000),
          durationSeconds: row.duration_s,
          clientId: row.client,
          clientName: row.client_name,
          destination: row.destination,
          port: row.port,
          protocol: row.protocol,
          sent: both(row.sent_bytes, row.sent_packets),
          received: both(row.received_bytes, row.received_packets),
          anonymised: row.exact === 0,
        },
      };
    },
  },
  dns: {
    table: "dns_log",
    time: "at",
    searched: ["log.name", "log.type"],
    entry: (given) => {
      const row = dnsRow.parse(given);
      return {
        id: row.id,
        timeMs: row.time,
        entry: {
          kind: "dns",
          at: iso(row.time),
          clientId: row.client,
          clientName: row.client_name,
          name: row.name,
          type: row.type,
          anonymised: row.exact === 0,
        },
      };
    },
  },
  traffic: {
    table: "traffic_log",
    time: "minute",
    searched: [],
    entry: (given) => {
      const row = trafficRow.parse(given);
      return {
        id: row.id,
        timeMs: row.time,
        entry: {
          kind: "traffic",
          at: iso(row.time),
          clientId: row.client,
          clientName: row.client_name,
          sentBytes: row.sent_bytes,
          receivedBytes: row.received_bytes,
          sentPackets: row.sent_packets,
          receivedPackets: row.received_packets,
        },
      };
    },
  },
};

/** One page. `client` is an id. Error: `bad-cursor`. */
export function readLogPage(db: DatabaseSync, query: LogQuery): Result<LogPage> {
  const source = SOURCES[query.kind];
  const newest = query.order === "newest";
  const conditions: string[] = [];
  const values: Value[] = [];
  function where(condition: string, ...more: Value[]): void {
    conditions.push(condition);
    values.push(...more);
  }
  const time = `log.${source.time}`;
  if (query.since !== undefined) where(`${time} >= ?`, Date.parse(query.since));
  if (query.until !== undefined) where(`${time} < ?`, Date.parse(query.until));
  if (query.client !== undefined) where("log.client = ?", query.client);
  if (query.search !== undefined && query.search !== "") {
    const pattern = `%${query.search.replace(/[\\%_]/g, "\\$&")}%`;
    const columns = [...source.searched, "client.name"];
    where(`(${columns.map((column) => `${column} LIKE ? ESCAPE '\\'`).join(" OR ")})`, ...columns.map(() => pattern));
  }
  if (query.cursor !== undefined) {
    const cursor = CURSOR.exec(query.cursor);
    if (cursor === null) return fail("bad-cursor", "The cursor is not one that a page has given.");
    where(`(${time}, log.id) ${newest ? "<" : ">"} (?, ?)`, Number(cursor[1]), Number(cursor[2]));
  }
  const direction = newest ? "DESC" : "ASC";
  const rows = db
    .prepare(
      `SELECT log.*, ${time} AS time, client.name AS client_name FROM ${source.table} AS log
       LEFT JOIN clients AS client ON client.id = log.client
       ${conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`}
       ORDER BY ${time} ${direction}, log.id ${direction} LIMIT ?`,
    )
    .all(...values, query.limit + 1)
    .map(source.entry);
  const page = rows.slice(0, query.limit);
  const last = rows.length > query.limit ? page.at(-1) : undefined;
  return ok({
    entries: page.map(({ entry }) => entry),
    next: last === undefined ? null : `${last.timeMs}:${last.id}`,
  });
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
