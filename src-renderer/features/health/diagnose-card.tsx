/** All checks on demand, with progress, and what to do about each that did not pass. */
import { useState } from "react";
import type { CheckResult } from "../../../src-shared/model/diagnosis.ts";
import { Badge } from "../../components/badge.tsx";
import { ErrorNote } from "../../components/banner.tsx";
import { Button } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { Choice } from "../../components/choice.tsx";
import { FixText } from "../../components/error-text.tsx";
import { PlayIcon } from "../../components/icons.tsx";
import { Progress } from "../../components/progress.tsx";
import type { Tone } from "../../components/tone.tsx";
import { useI18n } from "../../i18n/i18n.tsx";
import { useExplain } from "../../i18n/use-explain.ts";
import { useActions, useConnected, usePanel } from "../../store/hooks.ts";
import { useRun } from "../../store/use-request.ts";
import { type CheckGroup, countOutcomes, groupChecks, type Outcome } from "./diagnosis-view.ts";

export const OUTCOME_TONES: Readonly<Record<Outcome, Tone>> = {
  pass: "good",
  warn: "attention",
  fail: "bad",
  skipped: "off",
};

export function DiagnoseCard() {
  const { t } = useI18n();
  const { call } = useActions();
  const connected = useConnected();
  const run = useRun("diagnose.run");
  const progress = usePanel(({ diagnosis }) => diagnosis);
  const cancelled = progress?.cancelled === true;
  const checks = run.busy ? (progress?.checks ?? []) : (run.value?.checks ?? progress?.checks ?? []);
  return (
    <Card
      title={t("health.diagnose.title")}
      hint={t("health.diagnose.lead")}
      actions={
        run.busy ? (
          <Button disabled={cancelled || !connected} onClick={() => void call("diagnose.cancel", {})}>
            {cancelled ? t("health.diagnose.cancelling") : t("health.diagnose.cancel")}
          </Button>
        ) : (
          <Button icon={PlayIcon} disabled={!connected} onClick={run.run}>
            {checks.length === 0 ? t("health.diagnose.run") : t("health.diagnose.again")}
          </Button>
        )
      }
    >
      <div className="stack">
        {run.busy && <RunProgress done={progress?.done ?? 0} total={progress?.total ?? 0} />}
        {run.error !== undefined && <ErrorNote error={run.error} />}
        <div role="status">
          {run.busy && <span className="hidden">{t("health.diagnose.starting")}</span>}
          {!run.busy && checks.length > 0 && <Summary checks={checks} cancelled={cancelled} />}
        </div>
        {checks.length > 0 && <Results checks={checks} />}
      </div>
    </Card>
  );
}

function RunProgress({ done, total }: { done: number; total: number }) {
  const { t } = useI18n();
  const text = total === 0 ? t("health.diagnose.starting") : t("health.diagnose.progress", { done, total });
  return (
    <div className="run-progress">
      <Progress label={text} {...(total === 0 ? {} : { value: done, max: total })} />
      <span className="field-hint">{text}</span>
    </div>
  );
}

interface SummaryProps {
  readonly checks: readonly CheckResult[];
  readonly cancelled: boolean;
}

function Summary({ checks, cancelled }: SummaryProps) {
  const { t } = useI18n();
  const counts = countOutcomes(checks);
  return (
    <p>
      {counts.fail > 0 && <strong>{t("health.diagnose.problems", { count: counts.fail })} </strong>}
      {counts.warn > 0 && <strong>{t("health.diagnose.warnings", { count: counts.warn })} </strong>}
      {counts.fail + counts.warn === 0 && !cancelled && <strong>{t("health.diagnose.summaryGood")} </strong>}
      {cancelled && <>{t("health.diagnose.cancelled")} </>}
    </p>
  );
}

function Results({ checks }: { checks: readonly CheckResult[] }) {
  const { t } = useI18n();
  const [shown, setShown] = useState<"problems" | "all">("all");
  const groups = groupChecks(checks, shown === "problems");
  return (
    <>
      <div>
        <Choice
          label={t("common.action.show")}
          value={shown}
          options={[
            { value: "all", label: t("health.diagnose.all") },
            { value: "problems", label: t("health.diagnose.onlyProblems") },
          ]}
          onChange={setShown}
        />
      </div>
      {groups.length === 0 && <p className="field-hint">{t("health.diagnose.nothingToShow")}</p>}
      <div className="check-groups">
        {groups.map((group) => (
          <Group key={`${group.group} ${isTrouble(group.outcome)}`} group={group} />
        ))}
      </div>
    </>
  );
}

function isTrouble(outcome: Outcome): boolean {
  return outcome === "fail" || outcome === "warn";
}

/** Groups with something to do are open at first. */
function Group({ group: { group, outcome, checks } }: { group: CheckGroup }) {
  const { t } = useI18n();
  const counts = countOutcomes(checks);
  return (
    <details className="check-group" open={isTrouble(outcome)}>
      <summary>
        <h3>{t(`health.diagnose.group.${group}`)}</h3>
        <Badge tone={OUTCOME_TONES[outcome]}>
          {t(`health.diagnose.counts.${outcome}`, { count: counts[outcome] })}
        </Badge>
      </summary>
      <ul>
        {checks.map((check) => (
          <Check key={check.id} check={check} />
        ))}
      </ul>
    </details>
  );
}

function Check({ check }: { check: CheckResult }) {
  const { t, format } = useI18n();
  const explain = useExplain();
  const { title, detail, fix, outcome, durationMs } = explain.check(check);
  return (
    <li className="check">
      <div className="fact-head">
        <div className="fact-words">
          <h4>{title}</h4>
          <p className="field-hint">
            {detail}{" "}
            <span className="check-time">
              {t("health.diagnose.took", { ms: format.number(Math.round(durationMs)) })}
            </span>
          </p>
        </div>
        <Badge tone={OUTCOME_TONES[outcome]}>{t(`health.diagnose.outcome.${outcome}`)}</Badge>
      </div>
      {fix !== undefined && (
        <div className="check-fix">
          <strong>{t("health.diagnose.fix")}</strong>
          <FixText text={fix} />
        </div>
      )}
    </li>
  );
}
