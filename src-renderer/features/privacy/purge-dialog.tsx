/** Deleting everything: first the question, then the proof. */
import type { Deletion, Stored } from "../../../src-shared/model/privacy.ts";
import { Banner, ErrorNote } from "../../components/banner.tsx";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Records } from "../../components/records.tsx";
import { useI18n } from "../../i18n/i18n.tsx";
import { useRequest } from "../../store/use-request.ts";
import { LOG_KINDS, recordCount } from "./privacy-view.ts";

export interface PurgeDialogProps {
  /** What was counted last; undefined where that did not work. */
  readonly stored: Stored | undefined;
  readonly onDeleted: () => void;
  readonly onClose: () => void;
}

export function PurgeDialog({ stored, onDeleted, onClose }: PurgeDialogProps) {
  const { t } = useI18n();
  const purge = useRequest("privacy.purge");
  async function deleteAll() {
    const answer = await purge.run({});
    if (answer.ok) onDeleted();
  }
  if (purge.value !== undefined) return <Proof deletion={purge.value} onClose={onClose} />;
  return (
    <Dialog
      title={t("privacy.purge.title")}
      onClose={onClose}
      description={
        <>
          <p>{t("privacy.purge.body")}</p>
          {stored !== undefined && <p>{t("privacy.purge.counts", { count: recordCount(stored) })}</p>}
        </>
      }
      actions={
        <>
          <Button disabled={purge.busy} onClick={onClose}>
            {t("common.action.cancel")}
          </Button>
          <Button variant="danger" busy={purge.busy} onClick={() => void deleteAll()}>
            {purge.busy ? t("privacy.purge.deleting") : t("privacy.purge.confirm")}
          </Button>
        </>
      }
    >
      {purge.error !== undefined && <ErrorNote error={purge.error} />}
    </Dialog>
  );
}

function Proof({ deletion, onClose }: { deletion: Deletion; onClose: () => void }) {
  const { t, format } = useI18n();
  const { before, after, at } = deletion;
  return (
    <Dialog
      title={recordCount(after) === 0 ? t("privacy.purge.proof") : t("privacy.purge.proofSome")}
      description={<p>{t("privacy.purge.proofAt", { when: format.dateTime(at) })}</p>}
      onClose={onClose}
      actions={
        <Button variant="primary" onClick={onClose}>
          {t("privacy.purge.close")}
        </Button>
      }
    >
      <Records
        label={t("privacy.purge.proof")}
        rows={LOG_KINDS}
        rowKey={(kind) => kind}
        columns={[
          { key: "kind", header: t("privacy.stored.kind"), cell: (kind) => t(`privacy.stored.${kind}`) },
          {
            key: "before",
            header: t("privacy.purge.before"),
            number: true,
            cell: (kind) => format.number(before[kind].count),
          },
          {
            key: "after",
            header: t("privacy.purge.after"),
            number: true,
            cell: (kind) => format.number(after[kind].count),
          },
        ]}
      />
      {recordCount(after) > 0 && <Banner tone="info">{t("privacy.purge.remains")}</Banner>}
    </Dialog>
  );
}
