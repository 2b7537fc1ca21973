/** Who uses it, and how much may they use? */
import { useCallback, useState } from "react";
import type { Client } from "../../../src-shared/model/client.ts";
import { Button } from "../../components/button.tsx";
import { Card, Screen } from "../../components/card.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { ClientsIcon, PlusIcon } from "../../components/icons.tsx";
import { Spinner } from "../../components/spinner.tsx";
import { useI18n } from "../../i18n/i18n.tsx";
import { useActions, useConnected, usePanel } from "../../store/hooks.ts";
import { AddClientDialog } from "./add-client.tsx";
import { ClientList } from "./client-list.tsx";
import type { RowAction } from "./client-row.tsx";
import "./clients.css";
import { LimitDialog } from "./limit/limit-dialog.tsx";

/** What is asked or shown above the list. */
type Open =
  | { readonly kind: "add" }
  | { readonly kind: "limits" | "remove" | "new-key"; readonly client: Client }
  | undefined;

export function ClientsScreen() {
  const { t } = useI18n();
  const actions = useActions();
  const connected = useConnected();
  const clients = usePanel((state) => state.clients?.value);
  const [open, setOpen] = useState<Open>();
  const close = () => setOpen(undefined);

  const act = useCallback(
    (action: RowAction, client: Client) => {
      if (action === "show") {
        void actions.showConfig(client).then((shown) => {
          if (shown.ok) return;
          if (shown.error.code === "key-forgotten") setOpen({ kind: "new-key", client });
          else actions.showProblem(shown.error);
        });
      } else if (action === "limits" || action === "remove") setOpen({ kind: action, client });
      else void actions.pause(client, action === "pause");
    },
    [actions],
  );
  const add = (
    <Button variant="primary" icon={PlusIcon} disabled={!connected} onClick={() => setOpen({ kind: "add" })}>
      {t("clients.add.action")}
    </Button>
  );
  return (
    <Screen title={t("clients.title")} lead={t("clients.lead")} actions={clients?.length === 0 ? undefined : add}>
      <Card>
        {clients === undefined ? (
          <Spinner label={t("common.state.loading")} />
        ) : clients.length === 0 ? (
          <EmptyState icon={ClientsIcon} title={t("clients.empty")} action={add}>
            {t("clients.emptyDetail")}
          </EmptyState>
        ) : (
          <ClientList clients={clients} onAction={act} />
        )}
      </Card>
      <OpenDialog open={open} onClose={close} />
    </Screen>
  );
}

function OpenDialog({ open, onClose }: { open: Open; onClose: () => void }) {
  const { t } = useI18n();
  const actions = useActions();
  if (open === undefined) return null;
  if (open.kind === "add") return <AddClientDialog onClose={onClose} />;
  const { client } = open;
  const { name } = client;
  if (open.kind === "limits") return <LimitDialog client={client} onClose={onClose} />;
  if (open.kind === "remove") {
    return (
      <ConfirmDialog
        title={t("clients.remove.title", { name })}
        confirm={t("clients.remove.confirm")}
        danger
        onClose={onClose}
        onConfirm={async () => {
          if (await actions.remove(client)) actions.notify(t("clients.remove.done", { name }));
        }}
      >
        {t("clients.remove.detail")}
      </ConfirmDialog>
    );
  }
  return (
    <ConfirmDialog
      title={t("clients.newKey.title", { name })}
      confirm={t("clients.newKey.confirm")}
      onClose={onClose}
      onConfirm={async () => {
        const shown = await actions.showConfig(client, { newKey: true });
        if (!shown.ok) actions.showProblem(shown.error);
      }}
    >
      {t("clients.newKey.detail")}
    </ConfirmDialog>
  );
}
