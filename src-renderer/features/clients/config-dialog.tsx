/** A new client's configuration: QR code and file, shown once. */
import { useMemo } from "react";
import { Button } from "../../components/button.tsx";
import { Disclosure } from "../../components/card.tsx";
import { Choice } from "../../components/choice.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { DownloadIcon } from "../../components/icons.tsx";
import { saveFile } from "../../components/save-file.ts";
import { useI18n } from "../../i18n/i18n.tsx";
import { useActions, usePanel } from "../../store/hooks.ts";
import type { ConfigVia, PanelState } from "../../store/panel-store.ts";
import "./config-dialog.css";
import { configFileName } from "./config-file.ts";
import { qrPath } from "./qr-path.ts";

const VIAS: readonly ConfigVia[] = ["direct", "relay"];

/** Not in the page's first part: drawing QR codes is most of its size. */
export default function ConfigDialog({
  config: { client, config, shownUntil, via },
}: {
  config: NonNullable<PanelState["config"]>;
}) {
  const { t, format } = useI18n();
  const { closeConfig, showConfig, showProblem } = useActions();
  const relayed = usePanel((state) => state.node?.value.relay.state === "connected");
  const qr = useMemo(() => qrPath(config), [config]);
  async function choose(value: ConfigVia) {
    const shown = await showConfig(client, { via: value });
    if (!shown.ok) showProblem(shown.error);
  }
  return (
    <Dialog
      title={t("clients.config.title", { name: client.name })}
      description={
        <>
          <p>{t("clients.config.how")}</p>
          <p>
            {shownUntil === undefined
              ? t("clients.config.kept")
              : t("clients.config.once", { time: format.time(shownUntil) })}
          </p>
        </>
      }
      onClose={closeConfig}
      actions={
        <>
          <Button
            icon={DownloadIcon}
            onClick={() => saveFile(configFileName(client.name), config, "application/octet-stream")}
          >
            {t("common.action.saveFile")}
          </Button>
          <Button variant="primary" onClick={closeConfig}>
            {t("common.action.done")}
          </Button>
        </>
      }
    >
      {relayed && (
        <div className="row">
          <span className="soft small">{t("clients.config.via")}</span>
          <Choice
            label={t("clients.config.via")}
            value={via}
            options={VIAS.map((value) => ({ value, label: t(`clients.config.${value}`) }))}
            onChange={(value) => void choose(value)}
          />
        </div>
      )}
      <svg
        className="qr"
        viewBox={`0 0 ${qr.size} ${qr.size}`}
        role="img"
        aria-label={t("clients.config.qr", { name: client.name })}
      >
        <path d={qr.path} />
      </svg>
      <Disclosure summary={t("clients.config.show")}>
        <pre>{config}</pre>
      </Disclosure>
    </Dialog>
  );
}
