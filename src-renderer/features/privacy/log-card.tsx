/** The record itself: searchable, page by page, and for export. */
import { useState } from "react";
import { type LogKind, logKindSchema } from "../../../src-shared/model/privacy.ts";
import { ErrorNote } from "../../components/banner.tsx";
import { Button } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { SelectField, TextField } from "../../components/field.tsx";
import { FileIcon, RefreshIcon, SearchIcon } from "../../components/icons.tsx";
import { Records } from "../../components/records.tsx";
import { Spinner } from "../../components/spinner.tsx";
import { useI18n } from "../../i18n/i18n.tsx";
import { useConnected, usePanel } from "../../store/hooks.ts";
import { BriefEntry } from "./brief-entry.tsx";
import { ExportPart } from "./export-part.tsx";
import { useLogColumns } from "./log-columns.tsx";
import type { LogFilterDraft } from "./log-filter.ts";
import { MAX_SHOWN_ENTRIES, useLog } from "./use-log.ts";

export function LogCard() {
  const { t } = useI18n();
  const connected = useConnected();
  const [draft, setDraft] = useState<LogFilterDraft>({ kind: "connections", client: "", search: "" });
  const log = useLog(draft);
  return (
    <Card
      title={t("privacy.log.title")}
      actions={
        <Button size="small" icon={RefreshIcon} busy={log.busy} disabled={!connected} onClick={log.reload}>
          {t("privacy.log.refresh")}
        </Button>
      }
    >
      <div className="stack">
        <Filter draft={draft} onChange={setDraft} />
        {log.error !== undefined && <ErrorNote error={log.error} onRetry={log.reload} />}
        <LogRows draft={draft} log={log} />
        <ExportPart draft={draft} />
      </div>
    </Card>
  );
}

function Filter({ draft, onChange }: { draft: LogFilterDraft; onChange: (draft: LogFilterDraft) => void }) {
  const { t } = useI18n();
  const clients = usePanel((state) => state.clients?.value);
  return (
    <div className="log-filter">
      <SelectField<LogKind>
        label={t("privacy.log.kind")}
        value={draft.kind}
        options={logKindSchema.options.map((kind) => ({ value: kind, label: t(`privacy.log.kinds.${kind}`) }))}
        onChange={(kind) => onChange({ ...draft, kind })}
      />
      <SelectField
        label={t("privacy.log.client")}
        value={draft.client}
        options={[
          { value: "", label: t("privacy.log.everyone") },
          ...(clients ?? []).map(({ id, name }) => ({ value: id, label: name })),
        ]}
        onChange={(client) => onChange({ ...draft, client })}
      />
      {draft.kind !== "traffic" && (
        <TextField
          type="search"
          label={t("privacy.log.search")}
          hint={t(`privacy.log.searchHint.${draft.kind}`)}
          maxLength={256}
          value={draft.search}
          onChange={(search) => onChange({ ...draft, search })}
        />
      )}
    </div>
  );
}

function LogRows({ draft, log }: { draft: LogFilterDraft; log: ReturnType<typeof useLog> }) {
  const { t } = useI18n();
  // While another kind is being loaded, the rows of the one before are still there.
  const rows = log.entries.filter(({ kind }) => kind === draft.kind);
  const columns = useLogColumns(draft.kind);
  if (rows.length === 0) {
    if (log.busy) return <Spinner label={t("privacy.log.loading")} />;
    if (log.error !== undefined) return null;
    const searched = draft.search.trim() !== "" || draft.client !== "";
    return (
      <EmptyState
        icon={searched ? SearchIcon : FileIcon}
        title={searched ? t("privacy.log.emptySearch") : t("privacy.log.empty")}
      />
    );
  }
  return (
    <>
      <Records
        label={t(`privacy.log.kinds.${draft.kind}`)}
        columns={columns}
        rows={rows}
        rowKey={keyOf(rows)}
        brief={(entry) => <BriefEntry entry={entry} />}
      />
      <div className="row">
        {log.hasMore && (
          <Button busy={log.busy} onClick={log.loadMore}>
            {t("privacy.log.more")}
          </Button>
        )}
        <span className="field-hint" role="status">
          {t("privacy.log.shown", { count: rows.length })}
          {log.isFull && <> · {t("privacy.log.full", { count: MAX_SHOWN_ENTRIES })}</>}
        </span>
      </div>
    </>
  );
}

/** Entries have no id and may be equal in everything that is shown: their place in the list tells them apart. */
function keyOf<R>(rows: readonly R[]): (row: R) => string {
  const places = new Map(rows.map((row, at) => [row, String(at)]));
  return (row) => places.get(row) ?? "";
}
