/** `higgsnode privacy show|set|pause|resume|purge|log|export` */
import { closeSync, openSync, writeSync } from "node:fs";
import type { Command } from "commander";
import type { Deletion, LogEntry, LogKind, PrivacyState, Stored, StoredKind } from "../../src-shared/model/privacy.ts";
import { exportFormatSchema, logKindSchema, MAX_PAGE_ENTRIES } from "../../src-shared/model/privacy.ts";
import { formatEndpoint } from "../../src-shared/net/endpoint.ts";
import { fail, ok, type Result } from "../../src-shared/result.ts";
import { formatBytes, formatDuration } from "../../src-shared/text/format.ts";
import type { ControlClient } from "../ipc/control-client.ts";
import { EXIT } from "./exit-code.ts";
import { fileTrouble } from "./file-trouble.ts";
import type { Session } from "./session.ts";
import { parseChanges } from "./settings.ts";
import { facts, localTime, table } from "./table.ts";

/** A few screens; whoever wants everything exports it. */
const DEFAULT_LOG_ENTRIES = 1_000;

/** Fits the memory of a small machine as one JSON document. */
const MAX_LOG_ENTRIES = 100_000;

const UNITS_MS = new Map([
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

export function addPrivacy(program: Command, session: Session): void {
  const privacy = program.command("privacy").description("what is kept about the people who use this node");
  privacy
    .command("show")
    .description("print what is logged, and what is stored now")
    .action(() =>
      session.ask(
        async (node) => {
          const state = await node.call("privacy.get", {});
          if (!state.ok) return state;
          const settings = await node.call("settings.get", {});
          if (!settings.ok) return settings;
          const stored = await node.call("privacy.stored", {});
          const paused = settings.value.value.loggingPaused;
          return stored.ok ? ok({ ...state.value, paused, stored: stored.value }) : stored;
        },
        (shown) => session.print(shown, () => `${stateText(shown, shown.paused)}\n\n${storedText(shown.stored)}`),
      ),
    );
  privacy
    .command("set")
    .argument("<key=value...>", "logTraffic, logDNS, logMetadata, anonymizeIPs (true or false), maxLogRetention (days)")
    .description("change what is logged; it takes effect at once")
    .action((pairs: string[]) =>
      session.run(async () => {
        const changes = parseChanges(pairs);
        if (!changes.ok) return changes;
        const answer = await session.withNode((node) => node.call("privacy.set", { changes: changes.value }));
        if (!answer.ok) return answer;
        session.print(answer.value, () => stateText(answer.value));
        return ok(EXIT.done);
      }),
    );
  addPause(privacy, session, { name: "pause", paused: true, description: "log nothing for now, until resume" });
  addPause(privacy, session, { name: "resume", paused: false, description: "log again what the settings say" });
  privacy
    .command("purge")
    .description("delete every log now, for good")
    .action(() =>
      session.ask(
        (node) => node.call("privacy.purge", {}),
        (deletion) => session.print(deletion, () => deletionText(deletion)),
      ),
    );
  addLog(privacy, session);
  addExport(privacy, session);
}

function addPause(
  privacy: Command,
  session: Session,
  { name, paused, description }: { name: string; paused: boolean; description: string },
): void {
  privacy
    .command(name)
    .description(description)
    .action(() =>
      session.ask(
        (node) => node.call("settings.set", { changes: { loggingPaused: paused } }),
        ({ value }) =>
          session.print({ paused: value.loggingPaused }, () =>
            value.loggingPaused ? "Logging is paused." : "Logging follows the settings again.",
          ),
      ),
    );
}

interface FilterOptions {
  kind?: string;
  since?: string;
  client?: string;
  search?: string;
}

function withFilter(command: Command): Command {
  return command
    .option("--kind <kind>", "connections (default), dns or traffic")
    .option("--since <time>", "from this time on: 2026-01-31T12:00:00Z, 2026-01-31, or 30m, 12h, 7d ago")
    .option("--client <name>", "of this client only")
    .option("--search <text>", "with this text in destination, protocol or name");
}

function addLog(privacy: Command, session: Session): void {
  withFilter(privacy.command("log"))
    .description("print what was logged, the newest first")
    .option("--limit <n>", `at most so many entries (default: ${DEFAULT_LOG_ENTRIES})`)
    .action((options: FilterOptions & { limit?: string }) =>
      session.run(async () => {
        const nowMs = session.host.clock.nowMs();
        const filter = parseFilter(options, nowMs);
        if (!filter.ok) return filter;
        const limit = parseLimit(options.limit);
        if (!limit.ok) return limit;
        const entries = await session.withNode((node) => readEntries(node, filter.value, limit.value));
        if (!entries.ok) return entries;
        session.print(entries.value, () => logText(filter.value.kind, entries.value));
        return ok(EXIT.done);
      }),
    );
}

function addExport(privacy: Command, session: Session): void {
  withFilter(privacy.command("export"))
    .description("write everything that was logged, the oldest first")
    .requiredOption("--format <format>", "jsonl or csv")
    .option("--out <file>", "into this file, readable for you alone, instead of stdout")
    .action((options: FilterOptions & { format: string; out?: string }) =>
      session.run(async () => {
        const format = exportFormatSchema.safeParse(options.format);
        if (!format.success) return fail("bad-usage", `"${options.format}" is no format`, "Use jsonl or csv.");
        const filter = parseFilter(options, session.host.clock.nowMs());
        if (!filter.ok) return filter;
        const target = openTarget(options.out, session);
        if (!target.ok) return target;
        try {
          const written = await session.withNode((node) =>
            exportTo(node, { ...filter.value, format: format.data }, target.value.write),
          );
          if (!written.ok) return written;
          if (options.out !== undefined) session.host.stderr(`Written to ${options.out}.\n`);
          return ok(EXIT.done);
        } finally {
          target.value.close();
        }
      }),
    );
}

type Filter = { kind: LogKind; since?: string; client?: string; search?: string };

function parseFilter({ kind = "connections", since, client, search }: FilterOptions, nowMs: number): Result<Filter> {
  const parsedKind = logKindSchema.safeParse(kind);
  if (!parsedKind.success) return fail("bad-usage", `"${kind}" is no kind of log`, "Use connections, dns or traffic.");
  const filter: Filter = { kind: parsedKind.data };
  if (client !== undefined) filter.client = client;
  if (search !== undefined) filter.search = search;
  if (since === undefined) return ok(filter);
  const sinceMs = parseSince(since, nowMs);
  if (sinceMs === undefined) {
    return fail("bad-usage", `"${since}" is no time`, "Use 2026-01-31T12:00:00Z, 2026-01-31, 30m, 12h or 7d.");
  }
  return ok({ ...filter, since: new Date(sinceMs).toISOString() });
}

/** A time or a date as ISO 8601 writes them, or how long ago: `30m`, `12h`, `7d`. Milliseconds since the epoch. */
export function parseSince(text: string, nowMs: number): number | undefined {
  const [, amount, unit] = /^([0-9]{1,6})([mhd])$/.exec(text) ?? [];
  const unitMs = UNITS_MS.get(unit ?? "");
  const ms = unitMs === undefined ? parseIso(text) : nowMs - Number(amount) * unitMs;
  return Number.isFinite(ms) && ms >= 0 ? ms : undefined;
}

function parseIso(text: string): number {
  return /^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]{5,16}(Z|[+-][0-9]{2}:[0-9]{2})?)?$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
}

function parseLimit(text: string | undefined): Result<number> {
  const limit = Number(text ?? DEFAULT_LOG_ENTRIES);
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LOG_ENTRIES) return ok(limit);
  return fail("bad-usage", "--limit takes a whole number", `From 1 to ${MAX_LOG_ENTRIES}; export gives everything.`);
}

async function readEntries(node: ControlClient, filter: Filter, limit: number): Promise<Result<LogEntry[]>> {
  const entries: LogEntry[] = [];
  let cursor: string | undefined;
  while (entries.length < limit) {
    const page = await node.call("privacy.log", {
      ...filter,
      limit: Math.min(limit - entries.length, MAX_PAGE_ENTRIES),
      ...(cursor === undefined ? {} : { cursor }),
    });
    if (!page.ok) return page;
    entries.push(...page.value.entries);
    if (page.value.next === null) break;
    cursor = page.value.next;
  }
  return ok(entries);
}

async function exportTo(
  node: ControlClient,
  query: Filter & { format: "jsonl" | "csv" },
  write: (text: string) => void,
): Promise<Result<void>> {
  let cursor: string | undefined;
  for (;;) {
    const piece = await node.call("privacy.export", { ...query, ...(cursor === undefined ? {} : { cursor }) });
    if (!piece.ok) return piece;
    write(piece.value.text);
    if (piece.value.next === null) return ok(undefined);
    cursor = piece.value.next;
  }
}

function openTarget(path: string | undefined, session: Session): Result<{ write(text: string): void; close(): void }> {
  if (path === undefined) return ok({ write: session.host.stdout, close: () => {} });
  try {
    const file = openSync(path, "w", 0o600);
    return ok({ write: (text) => void writeSync(file, text), close: () => closeSync(file) });
  } catch (error) {
    return fail(
      "export-not-written",
      `${path} cannot be written: ${fileTrouble(error)}.`,
      "Name another file with --out.",
    );
  }
}

function stateText({ settings, connectionLog, lost, lastRetention }: PrivacyState, paused = false): string {
  const rows: [string, string][] = Object.entries(settings).map(([key, value]) => [key, String(value)]);
  if (paused) rows.unshift(["logging", "paused; resume it with: higgsnode privacy resume"]);
  rows.push(["connection log", paused ? "paused" : connectionLogText(connectionLog)]);
  if (lost.kernel > 0) rows.push(["missing, dropped by the kernel", String(lost.kernel)]);
  if (lost.notWritten > 0) rows.push(["missing, not written", String(lost.notWritten)]);
  if (lastRetention !== null) {
    const { before, after, at } = lastRetention;
    rows.push(["last retention", `${countOf(before)} entries before, ${countOf(after)} after, ${localTime(at)}`]);
  }
  return facts(rows);
}

function connectionLogText(state: PrivacyState["connectionLog"]): string {
  switch (state.state) {
    case "off":
      return "off";
    case "waiting":
      return "on, nothing to log while the node is not sharing";
    case "on":
      return "on";
    case "unavailable":
      return [state.error.message, state.error.hint].filter((text) => text !== undefined).join(" ");
  }
}

function storedText(stored: Stored): string {
  const row = (label: string, kind: StoredKind, time = localTime) => [
    label,
    String(kind.count),
    formatBytes(kind.bytes),
    kind.oldestAt === null ? "" : time(kind.oldestAt),
    kind.newestAt === null ? "" : time(kind.newestAt),
  ];
  const rows = [
    row("connections", stored.connections),
    row("DNS questions", stored.dns),
    row("traffic minutes", stored.traffic),
    // Its times are midnights, UTC: the day is all they say.
    row("daily sums", stored.usageDays, (iso) => iso.slice(0, 10)),
  ];
  return (
    `${table(["STORED", "COUNT", "SIZE", "OLDEST", "NEWEST"], rows)}\n` +
    "Daily sums per client have no destinations; quotas and totals need them, so they are kept in any case."
  );
}

function deletionText({ before, after }: Deletion): string {
  const row = (label: string, kind: "connections" | "dns" | "traffic") => [
    label,
    String(before[kind].count),
    String(after[kind].count),
  ];
  const rows = [row("connections", "connections"), row("DNS questions", "dns"), row("traffic minutes", "traffic")];
  const size = ["database", formatBytes(before.databaseBytes), formatBytes(after.databaseBytes)];
  return table(["DELETED", "BEFORE", "AFTER"], [...rows, size]);
}

function countOf(stored: Stored): number {
  return stored.connections.count + stored.dns.count + stored.traffic.count;
}

function logText(kind: LogKind, entries: readonly LogEntry[]): string {
  if (entries.length === 0) return "Nothing is logged.";
  return table(HEADINGS[kind], entries.map(entryCells));
}

const HEADINGS: Record<LogKind, readonly string[]> = {
  connections: ["ENDED", "CLIENT", "DESTINATION", "PROTOCOL", "SENT", "RECEIVED", "FOR"],
  dns: ["AT", "CLIENT", "NAME", "TYPE"],
  traffic: ["MINUTE", "CLIENT", "SENT", "RECEIVED", "PACKETS SENT", "PACKETS RECEIVED"],
};

function entryCells(entry: LogEntry): string[] {
  const client = entry.clientName ?? entry.clientId;
  switch (entry.kind) {
    case "connections": {
      const { destination: host, port, durationSeconds } = entry;
      const destination = port === null ? host : port === 0 ? `${host} port 0` : formatEndpoint({ host, port });
      const duration = durationSeconds === null ? "-" : formatDuration(durationSeconds * 1000);
      const bytes = (amount: { bytes: number } | null) => (amount === null ? "-" : formatBytes(amount.bytes));
      return [
        localTime(entry.endedAt),
        client,
        destination,
        entry.protocol,
        bytes(entry.sent),
        bytes(entry.received),
        duration,
      ];
    }
    case "dns":
      return [localTime(entry.at), client, entry.name, entry.type];
    case "traffic":
      return [
        localTime(entry.at),
        client,
        formatBytes(entry.sentBytes),
        formatBytes(entry.receivedBytes),
        entry.sentPackets === null ? "-" : String(entry.sentPackets),
        entry.receivedPackets === null ? "-" : String(entry.receivedPackets),
      ];
  }
}
