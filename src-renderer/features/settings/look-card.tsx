/** Language and colours. */
import type { Settings } from "../../../src-shared/model/settings.ts";
import { Card } from "../../components/card.tsx";
import { SelectField } from "../../components/field.tsx";
import { useI18n } from "../../i18n/i18n.tsx";
import { useSetNow } from "./use-set-now.ts";

const THEMES: readonly Settings["theme"][] = ["system", "light", "dark"];

export function LookCard() {
  const { t } = useI18n();
  const language = useSetNow("language");
  const theme = useSetNow("theme");
  return (
    <Card title={t("settings.look.title")}>
      <div className="setting-grid">
        <SelectField
          label={t("settings.look.language")}
          value={language.value}
          error={language.error}
          disabled={language.disabled}
          options={[
            { value: "system", label: t("settings.look.languageSystem") },
            // Languages are named in themselves, for whoever cannot read the present one.
            { value: "en", label: "English" },
            { value: "ru", label: "Русский" },
          ]}
          onChange={language.set}
        />
        <SelectField
          label={t("settings.look.theme")}
          value={theme.value}
          error={theme.error}
          disabled={theme.disabled}
          options={THEMES.map((value) => ({ value, label: t(`settings.look.themes.${value}`) }))}
          onChange={theme.set}
        />
      </div>
    </Card>
  );
}
