/** How much one client may use: speed, data per month, hours of the week. */
import { useState } from "react";
import type { Client } from "../../../../src-shared/model/client.ts";
import type { HiggsError } from "../../../../src-shared/result.ts";
import { ErrorNote } from "../../../components/banner.tsx";
import { Button } from "../../../components/button.tsx";
import { Dialog } from "../../../components/dialog.tsx";
import { Tabs } from "../../../components/tabs.tsx";
import { useI18n } from "../../../i18n/i18n.tsx";
import { useActions } from "../../../store/hooks.ts";
import "./limit.css";
import { changesOf, formOf, type LimitForm, type LimitMistakes } from "./limit-form.ts";
import { LimitTest } from "./limit-test.tsx";
import { QuotaFields } from "./quota-fields.tsx";
import { ScheduleFields } from "./schedule-fields.tsx";
import { SpeedFields } from "./speed-fields.tsx";

export interface FormProps {
  readonly form: LimitForm;
  readonly mistakes: LimitMistakes;
  readonly onChange: (changes: Partial<LimitForm>) => void;
}

type Part = "speed" | "data" | "hours";

export function LimitDialog({ client, onClose }: { client: Client; onClose: () => void }) {
  const { t } = useI18n();
  const { call, notify } = useActions();
  const [form, setForm] = useState(() => formOf(client));
  const [mistakes, setMistakes] = useState<LimitMistakes>({});
  const [part, setPart] = useState<string>("speed");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<HiggsError>();
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  const { name } = client;

  async function finish(answer: Promise<{ ok: true } | { ok: false; error: HiggsError }>) {
    setBusy(true);
    setError(undefined);
    const result = await answer;
    setBusy(false);
    if (!result.ok) {
      setError(result.error);
      return;
    }
    notify(t("clients.limit.saved", { name }));
    onClose();
  }
  function save() {
    const read = changesOf(form, client, timeZone);
    if ("mistakes" in read) {
      setMistakes(read.mistakes);
      setPart(partOf(read.mistakes));
    } else if (Object.keys(read.changes).length === 0) onClose();
    else void finish(call("limits.set", { name: client.id, changes: read.changes }));
  }
  const props: FormProps = {
    form,
    mistakes,
    onChange: (changes) => {
      setForm((now) => ({ ...now, ...changes }));
      setMistakes({});
    },
  };
  const hasLimits = client.quota !== undefined || client.limit !== undefined;
  return (
    <Dialog
      wide
      title={t("clients.limit.title", { name })}
      onClose={onClose}
      actions={
        <>
          {hasLimits && (
            <Button
              className="push-left"
              disabled={busy}
              onClick={() => void finish(call("limits.clear", { name: client.id }))}
            >
              {t("clients.limit.clear")}
            </Button>
          )}
          <Button onClick={onClose}>{t("common.action.cancel")}</Button>
          <Button variant="primary" busy={busy} onClick={save}>
            {t("clients.limit.save")}
          </Button>
        </>
      }
    >
      <Tabs
        label={t("clients.limit.title", { name })}
        value={part}
        onChange={setPart}
        tabs={[
          {
            id: "speed",
            label: t("clients.limit.speed"),
            content: (
              <>
                <SpeedFields {...props} />
                <LimitTest client={client} />
              </>
            ),
          },
          {
            id: "data",
            label: t("clients.limit.data"),
            content: <QuotaFields {...props} client={client} timeZone={timeZone} />,
          },
          {
            id: "hours",
            label: t("clients.limit.hours"),
            content: <ScheduleFields {...props} client={client} timeZone={timeZone} />,
          },
        ]}
      />
      {error !== undefined && <ErrorNote error={error} />}
    </Dialog>
  );
}

/** The first part with a mistake is the one to look at. */
function partOf(mistakes: LimitMistakes): Part {
  if (mistakes.down !== undefined || mistakes.up !== undefined) return "speed";
  return mistakes.week === undefined ? "data" : "hours";
}
