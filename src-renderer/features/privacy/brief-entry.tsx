/** A record in two or three lines, for a phone. */
import type { LogEntry } from "../../../src-shared/model/privacy.ts";
import { ArrowDownIcon, ArrowUpIcon } from "../../components/icons.tsx";
import { useI18n } from "../../i18n/i18n.tsx";

export function BriefEntry({ entry }: { entry: LogEntry }) {
  const { t, format } = useI18n();
  const at = entry.kind === "connections" ? entry.endedAt : entry.at;
  return (
    <div className="brief">
      <div className="brief-head">
        <strong>{entry.clientName ?? t("privacy.log.removed")}</strong>
        <time className="field-hint" dateTime={at}>
          {format.dateTime(at)}
        </time>
      </div>
      {entry.kind === "connections" && (
        <>
          <p>
            <code>{entry.destination}</code> {entry.protocol.toUpperCase()}
            {entry.port !== null && <>, {t("privacy.log.port", { port: entry.port })}</>}
          </p>
          <BriefAmounts sent={entry.sent?.bytes ?? null} received={entry.received?.bytes ?? null} />
        </>
      )}
      {entry.kind === "dns" && (
        <p>
          <code>{entry.name}</code> {entry.type}
        </p>
      )}
      {entry.kind === "traffic" && <BriefAmounts sent={entry.sentBytes} received={entry.receivedBytes} />}
    </div>
  );
}

function BriefAmounts({ sent, received }: { sent: number | null; received: number | null }) {
  const { t, format } = useI18n();
  const text = (bytes: number | null) => (bytes === null ? t("privacy.log.notCounted") : format.bytes(bytes));
  return (
    <p className="brief-amounts field-hint">
      <span>
        <ArrowUpIcon /> {t("privacy.log.sent")} {text(sent)}
      </span>
      <span>
        <ArrowDownIcon /> {t("privacy.log.received")} {text(received)}
      </span>
    </p>
  );
}
