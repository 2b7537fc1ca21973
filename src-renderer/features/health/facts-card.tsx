/** Each fact with its state: root causes with their symptoms first, the rest folded when there is trouble. */
import type { HealthFact } from "../../../src-shared/model/health.ts";
import { Badge } from "../../components/badge.tsx";
import { Card, Disclosure } from "../../components/card.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { ErrorText } from "../../components/error-text.tsx";
import { HealthIcon } from "../../components/icons.tsx";
import { RelativeTime } from "../../components/relative-time.tsx";
import type { Tone } from "../../components/tone.tsx";
import { useI18n } from "../../i18n/i18n.tsx";
import { type Cause, factState, healthRows } from "./health-view.ts";

const TONES: Readonly<Record<ReturnType<typeof factState>, Tone>> = {
  good: "good",
  bad: "bad",
  warning: "attention",
  unknown: "unknown",
  off: "off",
};

export function FactsCard({ facts }: { facts: readonly HealthFact[] }) {
  const { t } = useI18n();
  const { causes, others } = healthRows(facts);
  const watched = others.some(({ state }) => state !== "off");
  return (
    <Card title={t("health.facts.title")}>
      {facts.length === 0 && <EmptyState icon={HealthIcon} title={t("health.facts.empty")} />}
      {causes.length > 0 && (
        <ul className="fact-list causes">
          {causes.map((cause) => (
            <CauseRow key={cause.fact.code} cause={cause} />
          ))}
        </ul>
      )}
      {causes.length > 0 && others.length > 0 && (
        <Disclosure summary={t("health.facts.others", { count: others.length })}>
          <FactList facts={others} />
        </Disclosure>
      )}
      {causes.length === 0 && watched && <FactList facts={others} />}
      {causes.length === 0 && others.length > 0 && !watched && (
        <Disclosure summary={t("health.facts.whenSharing", { count: others.length })}>
          <FactList facts={others} />
        </Disclosure>
      )}
    </Card>
  );
}

function FactList({ facts }: { facts: readonly HealthFact[] }) {
  return (
    <ul className="fact-list fact-columns">
      {facts.map((fact) => (
        <li key={fact.code}>
          <FactHead fact={fact} />
        </li>
      ))}
    </ul>
  );
}

function CauseRow({ cause: { fact, symptoms } }: { cause: Cause }) {
  const { t } = useI18n();
  return (
    <li>
      <FactHead fact={fact} />
      <div className="fact-trouble">
        {fact.error !== undefined && <ErrorText error={fact.error} />}
        {fact.cutsConnectivity && !fact.waiting && <p>{t("health.facts.cuts")}</p>}
        {fact.waiting && <p>{t("health.facts.waiting")}</p>}
        {symptoms.length > 0 && (
          <Disclosure summary={t("health.facts.symptoms", { count: symptoms.length })}>
            <ul className="fact-list">
              {symptoms.map((symptom) => (
                <li key={symptom.code}>
                  <FactHead fact={symptom} />
                  <div className="fact-trouble">
                    {symptom.error !== undefined && <ErrorText error={symptom.error} />}
                  </div>
                </li>
              ))}
            </ul>
          </Disclosure>
        )}
      </div>
    </li>
  );
}

function FactHead({ fact }: { fact: HealthFact }) {
  const { t } = useI18n();
  const state = factState(fact);
  return (
    <div className="fact-head">
      <div className="fact-words">
        <h3>{t(`health.facts.name.${fact.code}`)}</h3>
        {/* It says what is so while all is well. */}
        {fact.state !== "bad" && <p className="field-hint">{t(`health.facts.meaning.${fact.code}`)}</p>}
      </div>
      <div className="fact-state">
        <Badge tone={TONES[state]}>{t(`health.facts.state.${state}`)}</Badge>
        <span className="field-hint">
          <RelativeTime at={fact.since} />
        </span>
      </div>
    </div>
  );
}
