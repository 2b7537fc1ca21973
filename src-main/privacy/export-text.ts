/** Log entries as JSON lines (jsonlines.org) and as CSV (RFC 4180). */
import type { ExportFormat, LogEntry, LogKind } from "../../src-shared/model/privacy.ts";

type Cell = string | number | boolean | null;

const COLUMNS: Record<LogKind, readonly string[]> = {
  connections: [
    "endedAt",
    "startedAt",
    "durationSeconds",
    "clientId",
    "clientName",
    "destination",
    "port",
    "protocol",
    "sentBytes",
    "sentPackets",
    "receivedBytes",
    "receivedPackets",
    "anonymised",
  ],
  dns: ["at", "clientId", "clientName", "name", "type", "anonymised"],
  traffic: ["at", "clientId", "clientName", "sentBytes", "receivedBytes", "sentPackets", "receivedPackets"],
};

/** What stands before the first entry. */
export function exportHead(format: ExportFormat, kind: LogKind): string {
  return format === "csv" ? `${COLUMNS[kind].join(",")}\r\n` : "";
}

/** One line each, with its line break: CSV as RFC 4180 has it, or JSON. */
export function exportEntries(format: ExportFormat, entries: readonly LogEntry[]): string {
  return entries.map((entry) => (format === "csv" ? csvLine(entry) : `${JSON.stringify(entry)}\n`)).join("");
}

function csvLine(entry: LogEntry): string {
  const cells = new Map<string, Cell>();
  for (const [key, value] of Object.entries(entry)) {
    if (typeof value !== "object" || value === null) cells.set(key, value);
    else {
      cells.set(`${key}Bytes`, value.bytes);
      cells.set(`${key}Packets`, value.packets);
    }
  }
  return `${COLUMNS[entry.kind].map((column) => csvCell(cells.get(column) ?? null)).join(",")}\r\n`;
}

/** A name that a guest asked for must not become a formula in somebody's spreadsheet. */
function csvCell(value: Cell): string {
  if (value === null) return "";
  if (typeof value !== "string") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
