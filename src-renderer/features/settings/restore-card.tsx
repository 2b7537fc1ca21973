/** Putting this computer's network back as it was before the node, whatever became of the node meanwhile. */
import { useState } from "react";
import { Banner, ErrorNote } from "../../components/banner.tsx";
import { Button } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { RefreshIcon } from "../../components/icons.tsx";
import { useI18n } from "../../i18n/i18n.tsx";
import { useExplain } from "../../i18n/use-explain.ts";
import { useConnected } from "../../store/hooks.ts";
import { useRequest } from "../../store/use-request.ts";

export function RestoreCard() {
  const { t } = useI18n();
  const { text } = useExplain();
  const connected = useConnected();
  const restore = useRequest("node.restoreNetwork");
  const [asking, setAsking] = useState(false);
  const left = restore.error === undefined && !restore.busy ? restore.value?.left : undefined;
  return (
    <Card title={t("settings.restore.title")} hint={t("settings.restore.lead")}>
      <div className="stack">
        <div className="row">
          <Button
            variant="danger"
            icon={RefreshIcon}
            busy={restore.busy}
            disabled={!connected}
            onClick={() => setAsking(true)}
          >
            {restore.busy ? t("settings.restore.restoring") : t("settings.restore.button")}
          </Button>
        </div>
        {restore.error !== undefined && <ErrorNote error={restore.error} />}
        <div role="status">
          {left !== undefined && left.length === 0 && <Banner tone="good">{t("settings.restore.done")}</Banner>}
          {left !== undefined && left.length > 0 && (
            <Banner tone="attention" title={t("settings.restore.left")}>
              <ul className="left-list">
                {left.map((what) => (
                  <li key={what}>{text(what)}</li>
                ))}
              </ul>
            </Banner>
          )}
        </div>
      </div>
      {asking && (
        <ConfirmDialog
          title={t("settings.restore.confirmTitle")}
          confirm={t("settings.restore.confirm")}
          danger
          onConfirm={() => restore.run({})}
          onClose={() => setAsking(false)}
        >
          {t("settings.restore.confirmBody")}
        </ConfirmDialog>
      )}
    </Card>
  );
}
