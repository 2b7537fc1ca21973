/** The chosen part of the log as a file, gathered piece by piece. */
import { useEffect, useRef, useState } from "react";
import { type ExportFormat, exportFormatSchema } from "../../../src-shared/model/privacy.ts";
import type { HiggsError } from "../../../src-shared/result.ts";
import { ErrorNote } from "../../components/banner.tsx";
import { Button } from "../../components/button.tsx";
import { DownloadIcon } from "../../components/icons.tsx";
import { saveFile } from "../../components/save-file.ts";
import { Spinner } from "../../components/spinner.tsx";
import { useI18n } from "../../i18n/i18n.tsx";
import { useActions, useConnected } from "../../store/hooks.ts";
import { EXPORT_TYPES, exportFileName, gatherExport, MAX_EXPORT_BYTES } from "./export-log.ts";
import { filterOf, type LogFilterDraft } from "./log-filter.ts";

type Stage =
  | { readonly state: "idle" }
  | { readonly state: "running"; readonly characters: number }
  | { readonly state: "told"; readonly text: string }
  | { readonly state: "failed"; readonly error: HiggsError };

export function ExportPart({ draft }: { draft: LogFilterDraft }) {
  const { t, format } = useI18n();
  const { call } = useActions();
  const connected = useConnected();
  const [stage, setStage] = useState<Stage>({ state: "idle" });
  const controller = useRef<AbortController>(undefined);
  useEffect(() => () => controller.current?.abort(), []);

  async function start(chosen: ExportFormat) {
    controller.current = new AbortController();
    setStage({ state: "running", characters: 0 });
    const filter = filterOf(draft);
    const outcome = await gatherExport({
      piece: (cursor) =>
        call("privacy.export", { ...filter, format: chosen, ...(cursor === undefined ? {} : { cursor }) }),
      onProgress: (characters) => setStage({ state: "running", characters }),
      signal: controller.current.signal,
    });
    switch (outcome.state) {
      case "cancelled":
        return setStage({ state: "idle" });
      case "failed":
        return setStage({ state: "failed", error: outcome.error });
      case "too-large":
        return setStage({
          state: "told",
          text: t("privacy.export.tooLarge", { size: format.bytes(MAX_EXPORT_BYTES) }),
        });
      case "done": {
        const name = exportFileName(draft.kind, chosen, Date.now());
        saveFile(name, outcome.parts.join(""), EXPORT_TYPES[chosen]);
        return setStage({ state: "told", text: t("privacy.export.done", { name }) });
      }
    }
  }

  const running = stage.state === "running";
  return (
    <div className="part">
      <h3>{t("privacy.export.title")}</h3>
      <p className="field-hint">{t("privacy.export.lead")}</p>
      <div className="row export-buttons">
        {exportFormatSchema.options.map((chosen) => (
          <Button
            key={chosen}
            size="small"
            icon={DownloadIcon}
            disabled={running || !connected}
            onClick={() => void start(chosen)}
          >
            {t(`privacy.export.${chosen}`)}
          </Button>
        ))}
        {running && (
          <>
            <Spinner />
            <span className="number">{t("privacy.export.progress", { size: format.bytes(stage.characters) })}</span>
            <Button
              size="small"
              variant="quiet"
              onClick={() => {
                controller.current?.abort();
                setStage({ state: "idle" });
              }}
            >
              {t("privacy.export.cancel")}
            </Button>
          </>
        )}
        <span role="status">{stage.state === "told" && stage.text}</span>
      </div>
      {stage.state === "failed" && <ErrorNote error={stage.error} />}
    </div>
  );
}
