/** What the owner can set, and putting the network back. */
import { ErrorNote } from "../../components/banner.tsx";
import { Screen } from "../../components/card.tsx";
import { Spinner } from "../../components/spinner.tsx";
import { useI18n } from "../../i18n/i18n.tsx";
import { usePanel } from "../../store/hooks.ts";
import { useLoaded } from "../../store/use-request.ts";
import { AdvancedCard } from "./advanced-card.tsx";
import { ComputerCard } from "./computer-card.tsx";
import { LookCard } from "./look-card.tsx";
import { RelayCard } from "./relay-card.tsx";
import { RestoreCard } from "./restore-card.tsx";
import { ShareCard } from "./share-card.tsx";
import { WayCard } from "./way-card.tsx";
import "./settings.css";

export function SettingsScreen() {
  const { t } = useI18n();
  const loaded = useLoaded("settings.get", {});
  const settings = usePanel((state) => state.settings?.value);
  return (
    <Screen title={t("settings.title")} lead={t("settings.intro")}>
      {settings === undefined && loaded.error !== undefined && (
        <ErrorNote error={loaded.error} onRetry={loaded.reload} />
      )}
      {settings === undefined && loaded.error === undefined && <Spinner label={t("settings.loading")} />}
      {settings !== undefined && (
        <>
          <LookCard />
          <ComputerCard />
          <ShareCard settings={settings} />
          <WayCard settings={settings} />
          <RelayCard settings={settings} />
          <AdvancedCard settings={settings} />
        </>
      )}
      <RestoreCard />
    </Screen>
  );
}
