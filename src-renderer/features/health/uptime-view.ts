/** Uptime per day as bars, oldest first. Pure. */
import type { UptimeDay } from "../../../src-shared/model/health.ts";

export interface UptimeBar {
  /** `YYYY-MM-DD`. */
  readonly day: string;
  readonly wantedSeconds: number;
  readonly workingSeconds: number;
  /** Of the time sharing was wanted; null where it was not. */
  readonly fraction: number | null;
}

export interface UptimeView {
  readonly bars: readonly UptimeBar[];
  /** Over all days together; null where sharing was never wanted. */
  readonly fraction: number | null;
}

/** @param days newest first, as the node tells them */
export function uptimeOf(days: readonly UptimeDay[]): UptimeView {
  const bars = days
    .map((day) => ({ ...day, fraction: fractionOf(day) }))
    .sort((one, other) => (one.day < other.day ? -1 : 1));
  const sum = (key: "wantedSeconds" | "workingSeconds") => bars.reduce((total, bar) => total + bar[key], 0);
  return {
    bars,
    fraction: fractionOf({ wantedSeconds: sum("wantedSeconds"), workingSeconds: sum("workingSeconds") }),
  };
}

function fractionOf({ wantedSeconds, workingSeconds }: Omit<UptimeDay, "day">): number | null {
  return wantedSeconds === 0 ? null : Math.min(1, workingSeconds / wantedSeconds);
}

/**
 * A share in whole and tenth percents that never rounds a fault away: what is not all is less than 100 %, and what is
 * not nothing is more than 0.
 */
export function honestFraction(fraction: number): number {
  if (fraction <= 0 || fraction >= 1) return Math.max(0, Math.min(1, fraction));
  return Math.min(0.999, Math.max(0.001, Math.round(fraction * 1000) / 1000));
}
