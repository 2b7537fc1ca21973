/** What the owner can do to be reached, the most useful first. */
import type { NodeState } from "../../../src-shared/model/node-state.ts";
import { hrefOf } from "../../app/route.ts";
import { Card } from "../../components/card.tsx";
import { useI18n } from "../../i18n/i18n.tsx";
import { adviceOf } from "./advice-view.ts";

export function AdviceCard({ state }: { state: NodeState }) {
  const { t } = useI18n();
  const advice = adviceOf(state);
  if (advice === undefined) return null;
  return (
    <Card title={t("network.fixes")} {...(advice.optional ? { hint: t("network.fixesOptional") } : {})}>
      <ul className="advice">
        {advice.codes.map((code) => (
          <li key={code}>
            <h3>{t(`network.advice.${code}.title`, advice.values)}</h3>
            <p>{t(`network.advice.${code}.how`, advice.values)}</p>
            {code === "set-up-relay" && <a href={hrefOf("settings")}>{t("network.relay.toSettings")}</a>}
          </li>
        ))}
      </ul>
    </Card>
  );
}
