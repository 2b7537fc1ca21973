/** Name → client → QR code. */
import { type FormEvent, useState } from "react";
import { clientNameSchema } from "../../../src-shared/model/client.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { TextField } from "../../components/field.tsx";
import { useI18n } from "../../i18n/i18n.tsx";
import { useExplain } from "../../i18n/use-explain.ts";
import { useActions, useConnected } from "../../store/hooks.ts";

export interface AddClientFormProps {
  /** After the client was added; its configuration is shown by then. */
  readonly onAdded: () => void;
  readonly autoFocus?: boolean;
}

export function AddClientForm({ onAdded, autoFocus = false }: AddClientFormProps) {
  const { t } = useI18n();
  const { explain } = useExplain();
  const { addClient } = useActions();
  const connected = useConnected();
  const [name, setName] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  async function submit(event: FormEvent) {
    event.preventDefault();
    const parsed = clientNameSchema.safeParse(name.trim());
    if (!parsed.success) {
      setError(t("clients.add.invalid"));
      return;
    }
    setBusy(true);
    const added = await addClient(parsed.data);
    setBusy(false);
    if (!added.ok) {
      setError(added.error.code === "client-exists" ? t("clients.add.taken") : explain(added.error));
      return;
    }
    setName("");
    onAdded();
  }
  return (
    <form className="stack" noValidate onSubmit={(event) => void submit(event)}>
      <TextField
        label={t("clients.add.name")}
        hint={t("clients.add.hint")}
        error={error}
        value={name}
        autoFocus={autoFocus}
        onChange={(text) => {
          setName(text);
          setError(undefined);
        }}
      />
      <div className="actions">
        <Button type="submit" variant="primary" busy={busy} disabled={!connected || name.trim() === ""}>
          {t("clients.add.submit")}
        </Button>
      </div>
    </form>
  );
}

export function AddClientDialog({ onClose }: { onClose: () => void }) {
  const { t } = useI18n();
  return (
    <Dialog title={t("clients.add.title")} description={t("clients.add.detail")} onClose={onClose}>
      <AddClientForm autoFocus onAdded={onClose} />
    </Dialog>
  );
}
