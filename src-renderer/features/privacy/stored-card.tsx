/** What is stored now, with counts and sizes, and deleting all of it. */
import { useEffect, useRef, useState } from "react";
import type { PrivacyState, Stored } from "../../../src-shared/model/privacy.ts";
import { ErrorNote } from "../../components/banner.tsx";
import { Button } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { RefreshIcon, TrashIcon } from "../../components/icons.tsx";
import { Records } from "../../components/records.tsx";
import { RelativeTime } from "../../components/relative-time.tsx";
import { Spinner } from "../../components/spinner.tsx";
import { useNow } from "../../components/use-now.ts";
import { useI18n } from "../../i18n/i18n.tsx";
import { useConnected } from "../../store/hooks.ts";
import { useLoaded } from "../../store/use-request.ts";
import { deletedCount, storedRows } from "./privacy-view.ts";
import { PurgeDialog } from "./purge-dialog.tsx";

export interface StoredCardProps {
  readonly state: PrivacyState;
  readonly onDeleted: () => void;
}

export function StoredCard({ state, onDeleted }: StoredCardProps) {
  const { t } = useI18n();
  const connected = useConnected();
  const stored = useLoaded("privacy.stored", {});
  const [purging, setPurging] = useState(false);
  useReloadOnChange(state.settings, stored.reload);
  return (
    <Card
      title={t("privacy.stored.title")}
      actions={
        <>
          <Button size="small" icon={RefreshIcon} busy={stored.busy} disabled={!connected} onClick={stored.reload}>
            {t("privacy.stored.refresh")}
          </Button>
          <Button size="small" variant="danger" icon={TrashIcon} disabled={!connected} onClick={() => setPurging(true)}>
            {t("privacy.purge.button")}
          </Button>
        </>
      }
    >
      <div className="stack">
        {stored.error !== undefined && <ErrorNote error={stored.error} onRetry={stored.reload} />}
        {stored.value === undefined ? (
          stored.error === undefined && <Spinner label={t("privacy.stored.loading")} />
        ) : (
          <StoredTable stored={stored.value} />
        )}
        <LastRetention state={state} />
      </div>
      {purging && (
        <PurgeDialog
          stored={stored.value}
          onDeleted={onDeleted}
          onClose={() => {
            setPurging(false);
            stored.reload();
          }}
        />
      )}
    </Card>
  );
}

/** Fewer days or shorter addresses change what is stored at once. */
function useReloadOnChange(settings: PrivacyState["settings"], reload: () => void): void {
  const key = JSON.stringify(settings);
  const seen = useRef(key);
  useEffect(() => {
    if (seen.current === key) return;
    seen.current = key;
    reload();
  }, [key, reload]);
}

function StoredTable({ stored }: { stored: Stored }) {
  const { t, format } = useI18n();
  // A day's total carries the time of midnight, which nobody asked for.
  const time = (kind: string, at: string | null) => {
    if (at === null) return "–";
    return kind === "usageDays" ? format.date(at) : <RelativeTime at={at} />;
  };
  return (
    <>
      <Records
        label={t("privacy.stored.title")}
        rows={storedRows(stored)}
        rowKey={({ kind }) => kind}
        columns={[
          { key: "kind", header: t("privacy.stored.kind"), cell: ({ kind }) => t(`privacy.stored.${kind}`) },
          {
            key: "count",
            header: t("privacy.stored.count"),
            number: true,
            cell: ({ count }) => (count === 0 ? t("privacy.stored.none") : format.number(count)),
          },
          {
            key: "size",
            header: t("privacy.stored.size"),
            number: true,
            cell: ({ bytes, count }) => (count === 0 ? "–" : format.bytes(bytes)),
          },
          { key: "from", header: t("privacy.stored.from"), cell: ({ kind, oldestAt }) => time(kind, oldestAt) },
          { key: "to", header: t("privacy.stored.to"), cell: ({ kind, newestAt }) => time(kind, newestAt) },
        ]}
      />
      <p className="field-hint">
        {t("privacy.stored.usageNote")} {t("privacy.stored.database", { size: format.bytes(stored.databaseBytes) })}
      </p>
    </>
  );
}

function LastRetention({ state: { lastRetention } }: { state: PrivacyState }) {
  const { t, format } = useI18n();
  const nowMs = useNow();
  if (lastRetention === null) return null;
  return (
    <p className="field-hint" title={format.dateTime(lastRetention.at)}>
      {t("privacy.stored.lastRetention", {
        when: format.ago(lastRetention.at, nowMs),
        count: deletedCount(lastRetention),
      })}
    </p>
  );
}
