/** A redacted report: read first, then saved; sent nowhere. */
import { useState } from "react";
import type { Report } from "../../../src-shared/model/diagnosis.ts";
import { ErrorNote } from "../../components/banner.tsx";
import { Button } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { DownloadIcon, FileIcon } from "../../components/icons.tsx";
import { saveFile } from "../../components/save-file.ts";
import { useNow } from "../../components/use-now.ts";
import { useI18n } from "../../i18n/i18n.tsx";
import { useConnected } from "../../store/hooks.ts";
import { useRequest } from "../../store/use-request.ts";

/** Enough to read a page of it at once. */
const PREVIEW_ROWS = 16;

export function ReportCard() {
  const { t } = useI18n();
  const connected = useConnected();
  const make = useRequest("diagnose.report");
  const [report, setReport] = useState<Report>();
  async function begin() {
    const answer = await make.run({});
    if (answer.ok) setReport(answer.value);
  }
  return (
    <Card
      title={t("health.report.title")}
      hint={t("health.report.lead")}
      actions={
        <Button icon={FileIcon} busy={make.busy} disabled={!connected} onClick={() => void begin()}>
          {make.busy ? t("health.report.making") : t("health.report.make")}
        </Button>
      }
    >
      {make.error !== undefined && <ErrorNote error={make.error} />}
      {report !== undefined && <Preview report={report} onDiscard={() => setReport(undefined)} />}
    </Card>
  );
}

function Preview({ report, onDiscard }: { report: Report; onDiscard: () => void }) {
  const { t, format } = useI18n();
  const nowMs = useNow();
  const day = report.createdAt.slice(0, 10);
  return (
    <div className="stack">
      <p role="status">{t("health.report.preview")}</p>
      {/* A field that only shows: the keyboard reaches it, scrolls it and selects in it. */}
      <textarea
        className="input report"
        readOnly
        rows={PREVIEW_ROWS}
        aria-label={t("health.report.previewLabel")}
        value={report.text}
      />
      <div className="row">
        <Button
          variant="primary"
          icon={DownloadIcon}
          onClick={() => saveFile(`higgsnode-report-${day}.txt`, report.text)}
        >
          {t("health.report.saveText")}
        </Button>
        <Button
          icon={DownloadIcon}
          onClick={() => saveFile(`higgsnode-report-${day}.json`, report.json, "application/json")}
        >
          {t("health.report.saveJson")}
        </Button>
        <Button variant="quiet" onClick={onDiscard}>
          {t("health.report.discard")}
        </Button>
        <span className="field-hint">
          {t("health.report.made", {
            when: format.ago(report.createdAt, nowMs),
            size: format.bytes(report.text.length),
          })}
        </span>
      </div>
    </div>
  );
}
