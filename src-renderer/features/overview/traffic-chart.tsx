/** The chart itself (uPlot on a canvas). A module of its own: it is fetched after the page is there. */
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useI18n } from "../../i18n/i18n.tsx";
import type { ChartData } from "./traffic-view.ts";

export interface TrafficChartProps {
  readonly data: ChartData;
  /** Seconds since the epoch. */
  readonly from: number;
  readonly to: number;
  /** The same in words. */
  readonly label: string;
  /** Another value draws the chart anew, with the colours that hold then. */
  readonly colours: string;
}

const HEIGHT_PX = 200;
/** Room for `1000 Mbit/s`, in Russian as well. */
const AXIS_WIDTH_PX = 92;
/** Whole minutes: the axis shows hours and minutes, and each of them once. */
const TIME_STEPS_SECONDS = [60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 14_400, 21_600];
/** An idle line at the bottom should not fill the chart: the scale begins at 10 kbit/s. */
const SMALLEST_TOP_BITS = 10_000;

export default function TrafficChart({ data, from, to, label, colours }: TrafficChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(undefined);
  const latest = useRef({ data, from, to });
  latest.current = { data, from, to };
  const { format, language } = useI18n();

  useEffect(() => {
    const box = place.current;
    // The stylesheet's colours are read while the chart is made.
    if (box === null || colours === "") return;
    const made = new uPlot(optionsOf(box, format.bitRate, language), aligned(latest.current.data), box);
    chart.current = made;
    setRange(made, latest.current.from, latest.current.to);
    const watcher = new ResizeObserver(() => made.setSize({ width: box.clientWidth, height: HEIGHT_PX }));
    watcher.observe(box);
    return () => {
      watcher.disconnect();
      made.destroy();
      chart.current = undefined;
    };
  }, [format, language, colours]);

  useEffect(() => {
    const made = chart.current;
    if (made === undefined) return;
    made.setData(aligned(data), false);
    setRange(made, from, to);
  }, [data, from, to]);

  return <div ref={place} className="chart" role="img" aria-label={label} />;
}

function setRange(chart: uPlot, min: number, max: number): void {
  chart.setScale("x", { min, max });
}

function aligned([x, down, up]: ChartData): uPlot.AlignedData {
  return [[...x], [...down], [...up]];
}

/** Colours come from the stylesheet; a canvas needs them resolved. */
function colourOf(box: HTMLElement, name: string): string {
  const probe = document.createElement("span");
  probe.className = `chart-colour-${name}`;
  box.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function optionsOf(box: HTMLElement, rate: (bits: number) => string, language: string): uPlot.Options {
  const line = colourOf(box, "line");
  const soft = colourOf(box, "soft");
  const font = `12px ${getComputedStyle(box).fontFamily}`;
  const time = new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, { hour: "2-digit", minute: "2-digit" });
  const axis = { stroke: soft, font, grid: { stroke: line, width: 1 }, ticks: { show: false } };
  return {
    width: box.clientWidth,
    height: HEIGHT_PX,
    padding: [8, 20, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: true, auto: false },
      y: { range: (_, _min, max) => [0, Math.max(max ?? 0, SMALLEST_TOP_BITS) * 1.1] },
    },
    axes: [
      {
        ...axis,
        size: 28,
        space: 80,
        incrs: TIME_STEPS_SECONDS,
        values: (_, splits) => splits.map((at) => time.format(at * 1000)),
      },
      { ...axis, size: AXIS_WIDTH_PX, space: 44, values: (_, splits) => splits.map((bits) => rate(bits)) },
    ],
    series: [
      {},
      { stroke: colourOf(box, "down"), fill: colourOf(box, "down-fill"), width: 2, points: { show: false } },
      { stroke: colourOf(box, "up"), width: 2, dash: [6, 4], points: { show: false } },
    ],
  };
}
