/** How much of the time it worked: a bar per day, and the same as a table. */
import type { UptimeDay } from "../../../src-shared/model/health.ts";
import { ErrorNote } from "../../components/banner.tsx";
import { Card, Disclosure } from "../../components/card.tsx";
import { Records } from "../../components/records.tsx";
import { Spinner } from "../../components/spinner.tsx";
import { type I18n, useI18n } from "../../i18n/i18n.tsx";
import { useLoaded } from "../../store/use-request.ts";
import { honestFraction, type UptimeBar, uptimeOf } from "./uptime-view.ts";

/** A month: what an owner remembers. */
const DAYS = 30;

export function UptimeCard() {
  const { t } = useI18n();
  const days = useLoaded("health.uptime", { days: DAYS });
  return (
    <Card title={t("health.uptime.title")} hint={t("health.uptime.lead")}>
      {days.error !== undefined && <ErrorNote error={days.error} onRetry={days.reload} />}
      {days.value === undefined && days.error === undefined && <Spinner label={t("common.state.loading")} />}
      {days.value !== undefined && <Uptime days={days.value} />}
    </Card>
  );
}

function Uptime({ days }: { days: readonly UptimeDay[] }) {
  const i18n = useI18n();
  const { t, format } = i18n;
  const { bars, fraction } = uptimeOf(days);
  if (bars.length === 0) return <p className="field-hint">{t("health.uptime.empty")}</p>;
  const summary =
    fraction === null
      ? t("health.uptime.averageNone")
      : t("health.uptime.average", {
          percent: percentText(fraction, i18n),
          count: bars.length,
        });
  return (
    <div className="stack">
      <p>{summary}</p>
      <div>
        <Strip bars={bars} label={summary} />
        <div className="strip-ends" aria-hidden="true">
          {/* A node that is only a few days old has its bars at the right, all near that day. */}
          <span>{bars.length > DAYS / 2 && dayText(bars[0], i18n)}</span>
          <span>{dayText(bars.at(-1), i18n)}</span>
        </div>
      </div>
      <Disclosure summary={t("health.uptime.asTable")}>
        <Records
          label={t("health.uptime.title")}
          rows={[...bars].reverse()}
          rowKey={({ day }) => day}
          brief={(bar) => barText(bar, i18n)}
          columns={[
            { key: "day", header: t("health.uptime.date"), cell: (bar) => dayText(bar, i18n) },
            {
              key: "wanted",
              header: t("health.uptime.wanted"),
              number: true,
              cell: ({ wantedSeconds }) => (wantedSeconds === 0 ? "–" : format.duration(wantedSeconds * 1000)),
            },
            {
              key: "worked",
              header: t("health.uptime.worked"),
              number: true,
              cell: ({ wantedSeconds, workingSeconds }) =>
                wantedSeconds === 0 ? "–" : format.duration(workingSeconds * 1000),
            },
            {
              key: "share",
              header: t("health.uptime.share"),
              number: true,
              cell: (bar) => (bar.fraction === null ? t("health.uptime.off") : percentText(bar.fraction, i18n)),
            },
          ]}
        />
      </Disclosure>
    </div>
  );
}

/** In units of the drawing, which is stretched to the width there is. */
const BAR_WIDTH = 8;
const BAR_GAP = 2;
const HEIGHT = 40;
/** A day that failed all the time still has a bar to see. */
const LEAST_HEIGHT = 3;

function Strip({ bars, label }: { bars: readonly UptimeBar[]; label: string }) {
  const i18n = useI18n();
  const width = Math.max(DAYS, bars.length) * (BAR_WIDTH + BAR_GAP) - BAR_GAP;
  return (
    <svg className="strip" viewBox={`0 0 ${width} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
      {bars.map((bar, at) => {
        const height = Math.max(LEAST_HEIGHT, (bar.fraction ?? 0) * HEIGHT);
        const x = width + BAR_GAP - (bars.length - at) * (BAR_WIDTH + BAR_GAP);
        return (
          <g key={bar.day}>
            <title>{barText(bar, i18n)}</title>
            <rect className="strip-place" x={x} y={0} width={BAR_WIDTH} height={HEIGHT} />
            <rect className={barClass(bar)} x={x} y={HEIGHT - height} width={BAR_WIDTH} height={height} />
          </g>
        );
      })}
    </svg>
  );
}

/** From here on a day counts as one in which it worked. */
const GOOD_FROM = 0.99;

function barClass({ fraction }: UptimeBar): string {
  if (fraction === null) return "strip-off";
  return fraction >= GOOD_FROM ? "strip-good" : "strip-trouble";
}

function barText(bar: UptimeBar, i18n: I18n): string {
  const { t, format } = i18n;
  const day = dayText(bar, i18n);
  if (bar.fraction === null) return t("health.uptime.dayOff", { day });
  const hours = format.duration(bar.wantedSeconds * 1000);
  return t("health.uptime.day", { day, percent: percentText(bar.fraction, i18n), hours });
}

/** Noon, so that the date is the same one in every zone's reading of it. */
function dayText(bar: UptimeBar | undefined, { format }: I18n): string {
  return bar === undefined ? "" : format.date(`${bar.day}T12:00:00`);
}

function percentText(fraction: number, { t, format }: I18n): string {
  return t("health.uptime.percent", { value: format.number(honestFraction(fraction) * 100) });
}
