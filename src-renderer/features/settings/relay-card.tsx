/** Relays: whether, which, and how they are trusted. */
import type { Settings } from "../../../src-shared/model/settings.ts";
import { Card, Disclosure } from "../../components/card.tsx";
import { TextField } from "../../components/field.tsx";
import { SwitchRow } from "../../components/setting-row.tsx";
import { TextArea } from "../../components/text-area.tsx";
import { useI18n } from "../../i18n/i18n.tsx";
import { DraftForm, problemText } from "./draft-form.tsx";
import { asChange, parseCaFile, parseRelayServers } from "./settings-form.ts";
import { useDraft } from "./use-draft.ts";
import { useSetNow } from "./use-set-now.ts";

export function RelayCard({ settings }: { settings: Settings }) {
  const i18n = useI18n();
  const { t } = i18n;
  const mode = useSetNow("relayMode");
  const draft = useDraft(
    {
      relayServers: settings.relayServers.join("\n"),
      relayCaFile: settings.relayCaFile,
      relayAllowPlain: settings.relayAllowPlain,
    },
    {
      relayServers: (values) =>
        asChange("relayServers", parseRelayServers(values.relayServers, values.relayAllowPlain)),
      relayCaFile: ({ relayCaFile }) => asChange("relayCaFile", parseCaFile(relayCaFile)),
      // What is listed has to be allowed by what is set together with it.
      relayAllowPlain: (values) => {
        const servers = parseRelayServers(values.relayServers, values.relayAllowPlain);
        return servers.ok ? { ok: true, value: { relayAllowPlain: values.relayAllowPlain } } : servers;
      },
    },
  );
  const { relayAllowPlain } = draft.values;
  return (
    <Card title={t("settings.relay.title")} hint={t("settings.relay.lead")}>
      <SwitchRow
        label={t("settings.relay.mode")}
        hint={t("settings.relay.modeHint")}
        checked={mode.value === "auto"}
        predicted={mode.predicted}
        disabled={mode.disabled}
        error={mode.error}
        onChange={(on) => mode.set(on ? "auto" : "off")}
      />
      <div className="after-rows">
        <DraftForm draft={draft}>
          <TextArea
            label={t("settings.relay.servers")}
            hint={t("settings.relay.serversHint")}
            error={problemText(draft.errorOf("relayServers") ?? draft.errorOf("relayAllowPlain"), i18n)}
            rows={3}
            value={draft.values.relayServers}
            onChange={(relayServers) => draft.edit({ relayServers })}
          />
          <Disclosure summary={t("settings.relay.own")}>
            <TextField
              label={t("settings.relay.caFile")}
              hint={t("settings.relay.caFileHint")}
              error={problemText(draft.errorOf("relayCaFile"), i18n)}
              value={draft.values.relayCaFile}
              onChange={(relayCaFile) => draft.edit({ relayCaFile })}
            />
            <SwitchRow
              label={t("settings.relay.allowPlain")}
              hint={t("settings.relay.allowPlainHint")}
              checked={relayAllowPlain}
              onChange={(on) => draft.edit({ relayAllowPlain: on })}
            />
          </Disclosure>
        </DraftForm>
      </div>
    </Card>
  );
}
