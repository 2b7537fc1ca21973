/** What is recorded, how exactly, and for how long. */
import { type FormEvent, useState } from "react";
import { MAX_RETENTION_DAYS, type PrivacyState } from "../../../src-shared/model/privacy.ts";
import { Banner } from "../../components/banner.tsx";
import { Button } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { TextField } from "../../components/field.tsx";
import { SwitchRow } from "../../components/setting-row.tsx";
import { useI18n } from "../../i18n/i18n.tsx";
import { useExplain } from "../../i18n/use-explain.ts";
import { useActions, useConnected } from "../../store/hooks.ts";
import { parseRetention, RECORDED } from "./privacy-view.ts";
import { type PrivacyChanges, usePrivacyChanges } from "./use-privacy-changes.ts";

const SWITCHES = [...RECORDED, "anonymizeIPs"] as const;

export function RecordCard({ state }: { state: PrivacyState }) {
  const { t } = useI18n();
  const { explain } = useExplain();
  const connected = useConnected();
  const changes = usePrivacyChanges(state.settings);
  const missing = state.lost.kernel + state.lost.notWritten;
  return (
    <Card title={t("privacy.record.title")} hint={t("privacy.record.lead")}>
      {SWITCHES.map((key) => {
        const error = changes.errorOf(key);
        return (
          <SwitchRow
            key={key}
            label={t(`privacy.record.${key}`)}
            hint={t(`privacy.record.${key}Hint`)}
            checked={changes.shown[key]}
            predicted={changes.isAsked(key)}
            disabled={!connected}
            error={error === undefined ? undefined : explain(error)}
            onChange={(value) => void changes.change(key, value)}
          />
        );
      })}
      <Retention changes={changes} days={state.settings.maxLogRetention} />
      {missing > 0 && (
        <Banner tone="info" title={t("privacy.lost.title")}>
          {t("privacy.lost.text", { count: missing })}
        </Banner>
      )}
    </Card>
  );
}

function Retention({ changes, days }: { changes: PrivacyChanges; days: number }) {
  const { t } = useI18n();
  const { explain } = useExplain();
  const { notify } = useActions();
  const connected = useConnected();
  /** What is being written; undefined while the field shows what holds. */
  const [draft, setDraft] = useState<string>();
  const [refused, setRefused] = useState(false);
  const parsed = draft === undefined ? days : parseRetention(draft);
  const busy = changes.isAsked("maxLogRetention");
  const failure = changes.errorOf("maxLogRetention");
  const invalid =
    refused && parsed === undefined ? t("privacy.record.daysInvalid", { max: MAX_RETENTION_DAYS }) : undefined;
  async function save(event: FormEvent) {
    event.preventDefault();
    setRefused(parsed === undefined);
    if (parsed === undefined || !(await changes.change("maxLogRetention", parsed))) return;
    setDraft(undefined);
    notify(t("privacy.record.saved"));
  }
  return (
    <form className="retention" onSubmit={(event) => void save(event)} noValidate>
      <TextField
        label={t("privacy.record.maxLogRetention")}
        hint={t("privacy.record.maxLogRetentionHint", { max: MAX_RETENTION_DAYS })}
        unit={t("privacy.record.days", { count: parsed ?? days })}
        error={invalid ?? (failure === undefined ? undefined : explain(failure))}
        value={draft ?? String(changes.shown.maxLogRetention)}
        inputMode="numeric"
        maxLength={4}
        onChange={setDraft}
      />
      {draft !== undefined && parsed !== days && (
        <Button type="submit" variant="primary" busy={busy} disabled={!connected}>
          {busy ? t("privacy.record.saving") : t("privacy.record.save")}
        </Button>
      )}
    </form>
  );
}
