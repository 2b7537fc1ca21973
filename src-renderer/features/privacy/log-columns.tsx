/** The columns of each kind of record. */
import type { ConnectionEntry, DnsEntry, LogEntry, LogKind, TrafficEntry } from "../../../src-shared/model/privacy.ts";
import type { Column } from "../../components/table.tsx";
import { type I18n, useI18n } from "../../i18n/i18n.tsx";

export function useLogColumns(kind: LogKind): readonly Column<LogEntry>[] {
  const i18n = useI18n();
  switch (kind) {
    case "connections":
      return connectionColumns(i18n).map((column) => only(column, "connections"));
    case "dns":
      return dnsColumns(i18n).map((column) => only(column, "dns"));
    case "traffic":
      return trafficColumns(i18n).map((column) => only(column, "traffic"));
  }
}

type EntryOf<K extends LogKind> = Extract<LogEntry, { kind: K }>;

/** A column of one kind among entries of any. */
function only<K extends LogKind>(column: Column<EntryOf<K>>, kind: K): Column<LogEntry> {
  return { ...column, cell: (entry) => (entry.kind === kind ? column.cell(entry as EntryOf<K>) : null) };
}

function timeColumn<E>({ t, format }: I18n, at: (entry: E) => string): Column<E> {
  return {
    key: "time",
    header: t("privacy.log.time"),
    cell: (entry) => (
      <time className="log-time" dateTime={at(entry)}>
        {format.dateTime(at(entry))}
      </time>
    ),
  };
}

function clientColumn<E extends { clientName: string | null }>({ t }: I18n): Column<E> {
  return {
    key: "client",
    header: t("privacy.log.client"),
    cell: ({ clientName }) => clientName ?? <em>{t("privacy.log.removed")}</em>,
  };
}

function connectionColumns(i18n: I18n): Column<ConnectionEntry>[] {
  const { t, format } = i18n;
  const amount = (of: ConnectionEntry["sent"]) => (of === null ? t("privacy.log.notCounted") : format.bytes(of.bytes));
  return [
    timeColumn(i18n, ({ endedAt }) => endedAt),
    clientColumn(i18n),
    {
      key: "destination",
      header: t("privacy.log.destination"),
      cell: ({ destination, port, protocol, anonymised }) => (
        <>
          <code>{destination}</code>
          <span className="fact-note">
            {protocol.toUpperCase()}
            {port !== null && <>, {t("privacy.log.port", { port })}</>}
            {!anonymised && <> · {t("privacy.log.exact")}</>}
          </span>
        </>
      ),
    },
    { key: "sent", header: t("privacy.log.sent"), number: true, cell: ({ sent }) => amount(sent) },
    { key: "received", header: t("privacy.log.received"), number: true, cell: ({ received }) => amount(received) },
    {
      key: "duration",
      header: t("privacy.log.duration"),
      number: true,
      cell: ({ durationSeconds }) => (durationSeconds === null ? "–" : format.duration(durationSeconds * 1000)),
    },
  ];
}

function dnsColumns(i18n: I18n): Column<DnsEntry>[] {
  const { t } = i18n;
  return [
    timeColumn(i18n, ({ at }) => at),
    clientColumn(i18n),
    {
      key: "name",
      header: t("privacy.log.name"),
      cell: ({ name, anonymised }) => (
        <>
          <code>{name}</code>
          {!anonymised && <span className="fact-note">{t("privacy.log.exact")}</span>}
        </>
      ),
    },
    { key: "type", header: t("privacy.log.type"), cell: ({ type }) => type },
  ];
}

function trafficColumns(i18n: I18n): Column<TrafficEntry>[] {
  const { t, format } = i18n;
  return [
    timeColumn(i18n, ({ at }) => at),
    clientColumn(i18n),
    {
      key: "sent",
      header: t("privacy.log.sent"),
      number: true,
      cell: ({ sentBytes }) => format.bytes(sentBytes),
    },
    {
      key: "received",
      header: t("privacy.log.received"),
      number: true,
      cell: ({ receivedBytes }) => format.bytes(receivedBytes),
    },
  ];
}
