/** How much has passed through today and this month. */
import { useEffect } from "react";
import type { TrafficTotals } from "../../../src-shared/model/traffic.ts";
import { ErrorNote } from "../../components/banner.tsx";
import { Card } from "../../components/card.tsx";
import { Spinner } from "../../components/spinner.tsx";
import { useI18n } from "../../i18n/i18n.tsx";
import { useLoaded } from "../../store/use-request.ts";

/** A sum of a month does not change visibly within this time. */
const RELOAD_MS = 30_000;

export function TotalsCard() {
  const { t, format } = useI18n();
  const { value, error, reload } = useLoaded("traffic.totals", {});
  useEffect(() => {
    const timer = setInterval(reload, RELOAD_MS);
    return () => clearInterval(timer);
  }, [reload]);
  return (
    <Card title={t("overview.totals.title")}>
      {value !== undefined ? (
        <dl className="totals">
          {(["today", "month"] as const satisfies readonly (keyof TrafficTotals)[]).map((period) => (
            <div key={period}>
              <dt>{t(`overview.totals.${period}`)}</dt>
              <dd>
                <span className="totals-sum">{format.bytes(value[period].rxBytes + value[period].txBytes)}</span>
                <span className="fact-note">
                  {t("overview.totals.line", {
                    down: format.bytes(value[period].txBytes),
                    up: format.bytes(value[period].rxBytes),
                  })}
                </span>
              </dd>
            </div>
          ))}
        </dl>
      ) : error !== undefined ? (
        <ErrorNote error={error} onRetry={reload} />
      ) : (
        <Spinner label={t("common.state.loading")} />
      )}
    </Card>
  );
}
