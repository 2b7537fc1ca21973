/** A temporary guest goes through the exit, stage by stage. */

import { type SelfTestStep, selfTestStageSchema } from "../../../src-shared/model/diagnosis.ts";
import { exitOf } from "../../../src-shared/model/node-state.ts";
import { Badge } from "../../components/badge.tsx";
import { Banner, ErrorNote } from "../../components/banner.tsx";
import { Button } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { PlayIcon } from "../../components/icons.tsx";
import { useI18n } from "../../i18n/i18n.tsx";
import { useExplain } from "../../i18n/use-explain.ts";
import { useConnected, usePanel } from "../../store/hooks.ts";
import { useRun } from "../../store/use-request.ts";
import { OUTCOME_TONES } from "./diagnose-card.tsx";

export function SelfTestCard() {
  const { t } = useI18n();
  const connected = useConnected();
  const sharing = usePanel(({ node }) => node !== undefined && exitOf(node.value.node) !== undefined);
  const test = useRun("diagnose.selfTest");
  const progress = usePanel(({ selfTest }) => selfTest);
  const steps = test.busy ? progress : (test.value?.steps ?? []);
  return (
    <Card
      title={t("health.selfTest.title")}
      hint={sharing ? t("health.selfTest.lead") : `${t("health.selfTest.lead")} ${t("health.selfTest.needsSharing")}`}
      actions={
        <Button icon={PlayIcon} busy={test.busy} disabled={!connected || !sharing} onClick={test.run}>
          {test.busy ? t("health.selfTest.running") : t("health.selfTest.run")}
        </Button>
      }
    >
      <div className="stack">
        {test.error !== undefined && <ErrorNote error={test.error} />}
        <div role="status">
          {!test.busy && test.error === undefined && test.value !== undefined && (
            <Banner tone={test.value.outcome === "pass" ? "good" : "bad"}>
              {t(`health.selfTest.${test.value.outcome}`)}
            </Banner>
          )}
        </div>
        {(test.busy || steps.length > 0) && <Stages steps={steps} running={test.busy} />}
      </div>
    </Card>
  );
}

/** While it runs, the stages to come are there too. */
function Stages({ steps, running }: { steps: readonly SelfTestStep[]; running: boolean }) {
  const { t } = useI18n();
  const { text } = useExplain();
  return (
    <ol className="fact-list">
      {selfTestStageSchema.options.map((stage) => {
        const step = steps.find((one) => one.stage === stage);
        if (step === undefined && !running) return null;
        return (
          <li key={stage}>
            <div className="fact-head">
              <div className="fact-words">
                <h3>{t(`health.selfTest.stage.${stage}`)}</h3>
                {step !== undefined && <p className="field-hint">{text(step.detail)}</p>}
              </div>
              {step === undefined ? (
                <Badge tone="unknown">{t("health.selfTest.pending")}</Badge>
              ) : (
                <Badge tone={OUTCOME_TONES[step.outcome]}>{t(`health.diagnose.outcome.${step.outcome}`)}</Badge>
              )}
            </div>
          </li>
        );
      })}
    </ol>
  );
}
