/** What is kept about people who use my node? */
import { useState } from "react";
import { exitOf } from "../../../src-shared/model/node-state.ts";
import type { PrivacyState } from "../../../src-shared/model/privacy.ts";
import { Answer } from "../../components/answer.tsx";
import { ErrorNote } from "../../components/banner.tsx";
import { Button } from "../../components/button.tsx";
import { Screen } from "../../components/card.tsx";
import { ErrorText } from "../../components/error-text.tsx";
import { PauseIcon, PlayIcon } from "../../components/icons.tsx";
import { Spinner } from "../../components/spinner.tsx";
import { useI18n } from "../../i18n/i18n.tsx";
import { useActions, useConnected, usePanel, useSetting } from "../../store/hooks.ts";
import { useLoaded } from "../../store/use-request.ts";
import { GuestsCard } from "./guests-card.tsx";
import { LogCard } from "./log-card.tsx";
import { privacyAnswer } from "./privacy-view.ts";
import { RecordCard } from "./record-card.tsx";
import { StoredCard } from "./stored-card.tsx";
import "./privacy.css";

export function PrivacyScreen() {
  const { t } = useI18n();
  const loaded = useLoaded("privacy.get", {});
  const settingsKnown = usePanel(({ settings }) => settings !== undefined);
  const [deletions, setDeletions] = useState(0);
  const state = usePanel(({ privacy }) => privacy?.value);
  return (
    <Screen title={t("privacy.title")} lead={t("privacy.intro")}>
      {state === undefined && loaded.error !== undefined && <ErrorNote error={loaded.error} onRetry={loaded.reload} />}
      {state === undefined && loaded.error === undefined && <Spinner label={t("common.state.loading")} />}
      {state !== undefined && (
        <>
          <PrivacyAnswerCard state={state} />
          <RecordCard state={state} />
          <StoredCard state={state} onDeleted={() => setDeletions((count) => count + 1)} />
          {/* After a deletion the rows that were shown are no longer there. */}
          <LogCard key={deletions} />
        </>
      )}
      {settingsKnown && <GuestsCard />}
    </Screen>
  );
}

function PrivacyAnswerCard({ state }: { state: PrivacyState }) {
  const { t } = useI18n();
  const paused = useSetting("loggingPaused").value;
  const sharing = usePanel(({ node }) => node !== undefined && exitOf(node.value.node) !== undefined);
  const { key, tone, what } = privacyAnswer(state, paused, sharing);
  const { anonymizeIPs, maxLogRetention } = state.settings;
  const sentence =
    key === "recording"
      ? t("privacy.answer.recording", { what: what.map((one) => t(`privacy.record.short.${one}`)).join(", ") })
      : t(`privacy.answer.${key}`);
  return (
    <Answer
      tone={tone}
      sentence={sentence}
      {...(key === "nothing" ? {} : { action: <PauseButton /> })}
      detail={
        <>
          {key === "paused" && <p>{t("privacy.answer.pausedDetail")}</p>}
          {key === "broken" && state.connectionLog.state === "unavailable" && (
            <ErrorText error={state.connectionLog.error} />
          )}
          {what.length > 0 && (
            <p>
              {t("privacy.answer.retention", { count: maxLogRetention })}{" "}
              {anonymizeIPs ? t("privacy.answer.anonymised") : t("privacy.answer.exact")}
            </p>
          )}
        </>
      }
    />
  );
}

function PauseButton() {
  const { t } = useI18n();
  const { setSettings, showProblem } = useActions();
  const connected = useConnected();
  const { value: paused, predicted } = useSetting("loggingPaused");
  async function toggle() {
    const answer = await setSettings({ loggingPaused: !paused });
    if (!answer.ok) showProblem(answer.error);
  }
  return (
    <Button
      icon={paused ? PlayIcon : PauseIcon}
      busy={predicted}
      disabled={!connected}
      title={t("privacy.pause.hint")}
      onClick={() => void toggle()}
    >
      {paused ? t("privacy.pause.resume") : t("privacy.pause.pause")}
    </Button>
  );
}
