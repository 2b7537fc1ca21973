/** What is wrong, and is it being fixed? */
import type { Health } from "../../../src-shared/model/health.ts";
import { Answer } from "../../components/answer.tsx";
import { ErrorNote } from "../../components/banner.tsx";
import { Button } from "../../components/button.tsx";
import { Screen } from "../../components/card.tsx";
import { RefreshIcon } from "../../components/icons.tsx";
import { RelativeTime } from "../../components/relative-time.tsx";
import { Spinner } from "../../components/spinner.tsx";
import type { Tone } from "../../components/tone.tsx";
import { useI18n } from "../../i18n/i18n.tsx";
import { useConnected, usePanel } from "../../store/hooks.ts";
import { useRequest } from "../../store/use-request.ts";
import { DiagnoseCard } from "./diagnose-card.tsx";
import { FactsCard } from "./facts-card.tsx";
import { type HealthAnswer, healthAnswer } from "./health-view.ts";
import { HistoryCard } from "./history-card.tsx";
import { RecoveryCard } from "./recovery-card.tsx";
import { ReportCard } from "./report-card.tsx";
import { SelfTestCard } from "./self-test-card.tsx";
import { TraceCard } from "./trace-card.tsx";
import { UptimeCard } from "./uptime-card.tsx";
import "./health.css";

const TONES: Readonly<Record<HealthAnswer, Tone>> = {
  good: "good",
  attention: "attention",
  bad: "bad",
  unknown: "unknown",
  off: "off",
  recovering: "busy",
  noticed: "busy",
};

export function HealthScreen() {
  const { t } = useI18n();
  const health = usePanel(({ node }) => node?.value.health);
  return (
    <Screen title={t("health.title")} lead={t("health.intro")}>
      {health === undefined ? (
        <Spinner label={t("common.connection.connecting")} />
      ) : (
        <>
          <HealthAnswerCard health={health} />
          <RecoveryCard recovery={health.recovery} />
          <FactsCard facts={health.facts} />
        </>
      )}
      <DiagnoseCard />
      <SelfTestCard />
      <TraceCard />
      <ReportCard />
      <UptimeCard />
      <HistoryCard />
    </Screen>
  );
}

function HealthAnswerCard({ health }: { health: Health }) {
  const { t } = useI18n();
  const connected = useConnected();
  const check = useRequest("health.check");
  const answer = healthAnswer(health);
  return (
    <>
      <Answer
        tone={TONES[answer]}
        sentence={t(`health.answer.${answer}`)}
        {...(health.checkedAt === null
          ? {}
          : {
              detail: (
                <p>
                  {t("health.checked")}: <RelativeTime at={health.checkedAt} />
                </p>
              ),
            })}
        {...(answer === "off"
          ? {}
          : {
              action: (
                <Button icon={RefreshIcon} busy={check.busy} disabled={!connected} onClick={() => void check.run({})}>
                  {check.busy ? t("health.checking") : t("health.check")}
                </Button>
              ),
            })}
      />
      {check.error !== undefined && <ErrorNote error={check.error} onRetry={() => void check.run({})} />}
    </>
  );
}
