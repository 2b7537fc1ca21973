/** How guests come in: through which port, at which address, and whether the router is asked. */
import type { Settings } from "../../../src-shared/model/settings.ts";
import { Card } from "../../components/card.tsx";
import { TextField } from "../../components/field.tsx";
import { SwitchRow } from "../../components/setting-row.tsx";
import { useI18n } from "../../i18n/i18n.tsx";
import { DraftForm, problemText } from "./draft-form.tsx";
import { asChange, parseListenPort, parsePublicEndpoint, publicEndpointText } from "./settings-form.ts";
import { useDraft } from "./use-draft.ts";
import { useSetNow } from "./use-set-now.ts";

export function WayCard({ settings }: { settings: Settings }) {
  const i18n = useI18n();
  const { t } = i18n;
  const mapping = useSetNow("portMapping");
  const draft = useDraft(
    { listenPort: String(settings.listenPort), publicEndpoint: publicEndpointText(settings.publicEndpoint) },
    {
      listenPort: ({ listenPort }) => asChange("listenPort", parseListenPort(listenPort)),
      publicEndpoint: ({ publicEndpoint }) => asChange("publicEndpoint", parsePublicEndpoint(publicEndpoint)),
    },
  );
  return (
    <Card title={t("settings.way.title")}>
      <SwitchRow
        label={t("settings.way.portMapping")}
        hint={t("settings.way.portMappingHint")}
        checked={mapping.value === "auto"}
        predicted={mapping.predicted}
        disabled={mapping.disabled}
        error={mapping.error}
        onChange={(on) => mapping.set(on ? "auto" : "off")}
      />
      <div className="after-rows">
        <DraftForm draft={draft} restarts>
          <div className="setting-grid">
            <TextField
              label={t("settings.way.listenPort")}
              hint={t("settings.way.listenPortHint")}
              error={problemText(draft.errorOf("listenPort"), i18n)}
              inputMode="numeric"
              maxLength={5}
              value={draft.values.listenPort}
              onChange={(listenPort) => draft.edit({ listenPort })}
            />
            <TextField
              label={t("settings.way.publicEndpoint")}
              hint={t("settings.way.publicEndpointHint")}
              error={problemText(draft.errorOf("publicEndpoint"), i18n)}
              maxLength={261}
              value={draft.values.publicEndpoint}
              onChange={(publicEndpoint) => draft.edit({ publicEndpoint })}
            />
          </div>
        </DraftForm>
      </div>
    </Card>
  );
}
