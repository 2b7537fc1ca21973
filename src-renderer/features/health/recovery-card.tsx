/** What the node does about a fault by itself, at this moment. */
import type { Recovery } from "../../../src-shared/model/health.ts";
import { Card, type FactItem, Facts } from "../../components/card.tsx";
import { RelativeTime } from "../../components/relative-time.tsx";
import { Spinner } from "../../components/spinner.tsx";
import { useI18n } from "../../i18n/i18n.tsx";
import { knownStep } from "./health-view.ts";

/** What has failed more often than this may well need its owner, whose part the fact itself tells. */
const TRUSTED_ATTEMPTS = 3;

export function RecoveryCard({ recovery }: { recovery: Recovery }) {
  const { t } = useI18n();
  if (recovery.state === "idle") return null;
  const facts: FactItem[] = [
    { label: t("health.recovery.cause"), value: t(`health.facts.name.${recovery.cause}`) },
    { label: t("health.recovery.since"), value: <RelativeTime at={recovery.since} /> },
    ...(recovery.state === "waiting"
      ? [{ label: t("health.recovery.next"), value: <RelativeTime at={recovery.nextAt} future /> }]
      : []),
  ];
  return (
    <Card
      title={t("health.recovery.title")}
      {...(recovery.attempt <= TRUSTED_ATTEMPTS ? { hint: t("health.recovery.self") } : {})}
    >
      <div className="stack">
        <p role="status">
          {recovery.state === "running" ? (
            <RunningStep step={recovery.step} attempt={recovery.attempt} />
          ) : (
            t("health.recovery.waiting", { attempt: recovery.attempt })
          )}
        </p>
        <Facts items={facts} />
      </div>
    </Card>
  );
}

function RunningStep({ step, attempt }: { step: string; attempt: number }) {
  const { t } = useI18n();
  return (
    <span className="running-step">
      <Spinner />
      <span>{t("health.recovery.running", { attempt, step: stepText(step, t) })}</span>
    </span>
  );
}

/** What was done, in words; a step of a newer node by its name. */
export function stepText(step: string, t: ReturnType<typeof useI18n>["t"]): string {
  const known = knownStep(step);
  return known === undefined ? step : t(`health.step.${known}`);
}
