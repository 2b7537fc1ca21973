/** What nobody has to change; closed at first. */
import type { Settings } from "../../../src-shared/model/settings.ts";
import { Card, Disclosure } from "../../components/card.tsx";
import { SelectField, TextField } from "../../components/field.tsx";
import { SwitchRow } from "../../components/setting-row.tsx";
import { TextArea } from "../../components/text-area.tsx";
import { useI18n } from "../../i18n/i18n.tsx";
import { DraftForm, problemText } from "./draft-form.tsx";
import {
  asChange,
  guestIpv6Choice,
  parseEgressTargets,
  parseGuestIpv4,
  parseGuestIpv6,
  parseGuestIpv6Prefix,
  parseMtu,
  textOrEmpty,
} from "./settings-form.ts";
import { useDraft } from "./use-draft.ts";
import { useSetNow } from "./use-set-now.ts";

const IPV6_CHOICES = ["auto", "off", "own"] as const;
const IPV6_MODES = ["auto", "nptv6", "nat66"] as const;

export function AdvancedCard({ settings }: { settings: Settings }) {
  const i18n = useI18n();
  const { t } = i18n;
  const keepKeys = useSetNow("keepClientKeys");
  const choice = guestIpv6Choice(settings.guestIpv6);
  const draft = useDraft(
    {
      guestIpv4: textOrEmpty(settings.guestIpv4),
      guestIpv6Choice: choice,
      guestIpv6: choice === "own" ? settings.guestIpv6 : "",
      guestIpv6Mode: settings.guestIpv6Mode,
      guestIpv6Prefix: textOrEmpty(settings.guestIpv6Prefix),
      mtu: String(settings.mtu),
      egressTargets: settings.egressTargets.join("\n"),
    },
    {
      guestIpv4: ({ guestIpv4 }) => asChange("guestIpv4", parseGuestIpv4(guestIpv4)),
      guestIpv6Choice: (values) => asChange("guestIpv6", parseGuestIpv6(values.guestIpv6Choice, values.guestIpv6)),
      guestIpv6: (values) => asChange("guestIpv6", parseGuestIpv6(values.guestIpv6Choice, values.guestIpv6)),
      guestIpv6Mode: ({ guestIpv6Mode }) => ({ ok: true, value: { guestIpv6Mode } }),
      guestIpv6Prefix: (values) => asChange("guestIpv6Prefix", parseGuestIpv6Prefix(values.guestIpv6Prefix)),
      mtu: ({ mtu }) => asChange("mtu", parseMtu(mtu)),
      egressTargets: ({ egressTargets }) => asChange("egressTargets", parseEgressTargets(egressTargets)),
    },
  );
  const { values, edit, errorOf } = draft;
  return (
    <Card title={t("settings.advanced.title")} hint={t("settings.advanced.lead")}>
      <Disclosure summary={t("common.action.show")}>
        <DraftForm draft={draft} restarts>
          <div className="setting-grid">
            <TextField
              label={t("settings.advanced.guestIpv4")}
              hint={t("settings.advanced.guestIpv4Hint")}
              error={problemText(errorOf("guestIpv4"), i18n)}
              value={values.guestIpv4}
              onChange={(guestIpv4) => edit({ guestIpv4 })}
            />
            <TextField
              label={t("settings.advanced.mtu")}
              hint={t("settings.advanced.mtuHint")}
              error={problemText(errorOf("mtu"), i18n)}
              inputMode="numeric"
              maxLength={4}
              value={values.mtu}
              onChange={(mtu) => edit({ mtu })}
            />
            <SelectField
              label={t("settings.advanced.guestIpv6")}
              value={values.guestIpv6Choice}
              options={IPV6_CHOICES.map((value) => ({
                value,
                label: t(`settings.advanced.guestIpv6Options.${value}`),
              }))}
              onChange={(guestIpv6Choice) => edit({ guestIpv6Choice })}
            />
            {values.guestIpv6Choice === "own" && (
              <TextField
                label={t("settings.advanced.guestIpv6Network")}
                hint={t("settings.advanced.guestIpv6NetworkHint")}
                error={problemText(errorOf("guestIpv6") ?? errorOf("guestIpv6Choice"), i18n)}
                value={values.guestIpv6}
                onChange={(guestIpv6) => edit({ guestIpv6 })}
              />
            )}
            {values.guestIpv6Choice !== "off" && (
              <>
                <SelectField
                  label={t("settings.advanced.guestIpv6Mode")}
                  value={values.guestIpv6Mode}
                  options={IPV6_MODES.map((value) => ({
                    value,
                    label: t(`settings.advanced.guestIpv6ModeOptions.${value}`),
                  }))}
                  onChange={(guestIpv6Mode) => edit({ guestIpv6Mode })}
                />
                <TextField
                  label={t("settings.advanced.guestIpv6Prefix")}
                  hint={t("settings.advanced.guestIpv6PrefixHint")}
                  error={problemText(errorOf("guestIpv6Prefix"), i18n)}
                  value={values.guestIpv6Prefix}
                  onChange={(guestIpv6Prefix) => edit({ guestIpv6Prefix })}
                />
              </>
            )}
          </div>
          <TextArea
            label={t("settings.advanced.egressTargets")}
            hint={t("settings.advanced.egressTargetsHint")}
            error={problemText(errorOf("egressTargets"), i18n)}
            rows={4}
            value={values.egressTargets}
            onChange={(egressTargets) => edit({ egressTargets })}
          />
        </DraftForm>
        <div className="after-form">
          <SwitchRow
            label={t("settings.advanced.keepClientKeys")}
            hint={t("settings.advanced.keepClientKeysHint")}
            checked={keepKeys.value}
            predicted={keepKeys.predicted}
            disabled={keepKeys.disabled}
            error={keepKeys.error}
            onChange={keepKeys.set}
          />
        </div>
      </Disclosure>
    </Card>
  );
}
