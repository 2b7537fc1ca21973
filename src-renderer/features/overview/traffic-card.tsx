/** How much passes through, now and in the last hours. */
import { lazy, Suspense, useEffect, useMemo, useState } from "react";
import { type TrafficRange, trafficRangeSchema } from "../../../src-shared/model/traffic.ts";
import { ErrorNote } from "../../components/banner.tsx";
import { Card } from "../../components/card.tsx";
import { Choice } from "../../components/choice.tsx";
import { ArrowDownIcon, ArrowUpIcon } from "../../components/icons.tsx";
import { Spinner } from "../../components/spinner.tsx";
import { useNow } from "../../components/use-now.ts";
import { useI18n } from "../../i18n/i18n.tsx";
import { usePanel } from "../../store/hooks.ts";
import { useLoaded } from "../../store/use-request.ts";
import { chartData, mergedPoints, RANGE_SECONDS, summaryOf } from "./traffic-view.ts";
import { useColourScheme } from "./use-colour-scheme.ts";

const TrafficChart = lazy(() => import("./traffic-chart.tsx"));

export function TrafficCard() {
  const { t } = useI18n();
  const [range, setRange] = useState<TrafficRange>("5min");
  return (
    <Card
      title={t("overview.chart.title")}
      actions={
        <Choice
          label={t("overview.chart.range")}
          value={range}
          options={trafficRangeSchema.options.map((value) => ({ value, label: t(`overview.chart.ranges.${value}`) }))}
          onChange={setRange}
        />
      }
    >
      <Chart range={range} />
    </Card>
  );
}

function Chart({ range }: { range: TrafficRange }) {
  const { t, format } = useI18n();
  const history = useLoaded("traffic.history", { range });
  const live = usePanel((state) => state.traffic);
  const nowMs = useNow();
  const colours = useColourScheme();
  const stepSeconds = history.value?.stepSeconds ?? 2;
  useReloaded(history.reload, range === "5min" ? undefined : stepSeconds);
  // The picture moves by one step at a time: drawing it every second would show nothing more.
  const shownMs = Math.floor(nowMs / (stepSeconds * 1000)) * stepSeconds * 1000;
  const points = useMemo(
    () => mergedPoints(history.value, live, range, shownMs),
    [history.value, live, range, shownMs],
  );
  const data = useMemo(() => chartData(points, stepSeconds), [points, stepSeconds]);
  // What has just come in belongs to the picture, and to its scale.
  const to = Math.max(shownMs / 1000, data[0].at(-1) ?? 0);
  const summary = summaryOf(points, live.at(-1), nowMs);
  const label = t("overview.chart.summary", {
    range: t(`overview.chart.ranges.${range}`),
    down: format.rate(summary.down),
    up: format.rate(summary.up),
    maxDown: format.rate(summary.maxDown),
    maxUp: format.rate(summary.maxUp),
  });
  return (
    <>
      <div className="legend">
        <span className="legend-item legend-down">
          <ArrowDownIcon />
          <span>
            {t("overview.chart.down")} <strong className="number">{format.rate(summary.down)}</strong>
          </span>
        </span>
        <span className="legend-item legend-up">
          <ArrowUpIcon />
          <span>
            {t("overview.chart.up")} <strong className="number">{format.rate(summary.up)}</strong>
          </span>
        </span>
      </div>
      {history.error !== undefined && points.length === 0 ? (
        <ErrorNote error={history.error} onRetry={history.reload} />
      ) : (
        <div className="chart-frame">
          <Suspense fallback={<Spinner label={t("overview.chart.loading")} />}>
            <TrafficChart data={data} from={to - RANGE_SECONDS[range]} to={to} label={label} colours={colours} />
          </Suspense>
          {points.length === 0 && !history.busy && <p className="chart-empty">{t("overview.chart.empty")}</p>}
        </div>
      )}
    </>
  );
}

/** Asks again every `seconds`. */
function useReloaded(reload: () => void, seconds: number | undefined): void {
  useEffect(() => {
    if (seconds === undefined) return;
    const timer = setInterval(reload, seconds * 1000);
    return () => clearInterval(timer);
  }, [reload, seconds]);
}
