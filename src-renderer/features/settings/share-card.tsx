/** How much of the owner's connection all guests together may use. */
import type { Settings } from "../../../src-shared/model/settings.ts";
import { Card } from "../../components/card.tsx";
import { TextField } from "../../components/field.tsx";
import { mbitText } from "../../components/mbit-text.ts";
import { SwitchRow } from "../../components/setting-row.tsx";
import { useI18n } from "../../i18n/i18n.tsx";
import { DraftForm, problemText } from "./draft-form.tsx";
import { asChange, parseRatePair } from "./settings-form.ts";
import { type Draft, useDraft } from "./use-draft.ts";
import { useSetNow } from "./use-set-now.ts";

interface Speeds {
  readonly uplinkDown: string;
  readonly uplinkUp: string;
  readonly totalDown: string;
  readonly totalUp: string;
}

export function ShareCard({ settings: { uplinkRate, totalRate } }: { settings: Settings }) {
  const { t } = useI18n();
  const household = useSetNow("householdFirst");
  const uplink = ({ uplinkDown, uplinkUp }: Speeds, own: string) =>
    asChange("uplinkRate", parseRatePair("uplinkRate", own, { down: uplinkDown, up: uplinkUp }));
  const total = ({ totalDown, totalUp }: Speeds, own: string) =>
    asChange("totalRate", parseRatePair("totalRate", own, { down: totalDown, up: totalUp }));
  const draft = useDraft<Speeds>(
    {
      uplinkDown: mbitText(uplinkRate?.down),
      uplinkUp: mbitText(uplinkRate?.up),
      totalDown: mbitText(totalRate?.down),
      totalUp: mbitText(totalRate?.up),
    },
    {
      uplinkDown: (values) => uplink(values, values.uplinkDown),
      uplinkUp: (values) => uplink(values, values.uplinkUp),
      totalDown: (values) => total(values, values.totalDown),
      totalUp: (values) => total(values, values.totalUp),
    },
  );
  return (
    <Card title={t("settings.share.title")} hint={t("settings.share.lead")}>
      <DraftForm draft={draft}>
        <div className="setting-grid">
          <SpeedPair group="uplink" draft={draft} />
          <SpeedPair group="total" draft={draft} />
        </div>
      </DraftForm>
      <div className="after-form">
        <SwitchRow
          label={t("settings.share.householdFirst")}
          hint={uplinkRate === null ? t("settings.share.householdNeeds") : t("settings.share.householdFirstHint")}
          checked={household.value && uplinkRate !== null}
          predicted={household.predicted}
          disabled={household.disabled || uplinkRate === null}
          error={household.error}
          onChange={household.set}
        />
      </div>
    </Card>
  );
}

function SpeedPair({ group, draft }: { group: "uplink" | "total"; draft: Draft<Speeds> }) {
  const i18n = useI18n();
  const { t } = i18n;
  const { values, edit, errorOf } = draft;
  const field = (direction: "Down" | "Up") => {
    const key = `${group}${direction}` as const;
    return (
      <TextField
        label={t(`settings.share.${direction === "Down" ? "down" : "up"}`)}
        error={problemText(errorOf(key), i18n)}
        inputMode="decimal"
        maxLength={12}
        value={values[key]}
        onChange={(text) => edit({ [key]: text })}
      />
    );
  };
  return (
    <fieldset className="speed-pair">
      <legend className="field-label">
        {t(`settings.share.${group}`)}, {t("clients.limit.mbit")}
      </legend>
      <div className="speed-fields">
        {field("Down")}
        {field("Up")}
      </div>
      <p className="field-hint">{t(`settings.share.${group}Hint`)}</p>
    </fieldset>
  );
}
