/** The month of a quota, which begins on a day its owner chose. */
import { localTime } from "./local-time.ts";

/**
 * First day of the month that `nowMs` is in, `2026-11-15`: later months compare as greater. A reset day that a month
 * does not have is its last one.
 */
export function quotaPeriodOf(nowMs: number, quota: { resetDay: number; timeZone: string }): string {
  const { year, month, day } = localTime(nowMs, quota.timeZone);
  const begins = Math.min(quota.resetDay, daysIn(year, month));
  if (day >= begins) return written(year, month, begins);
  const before = month === 1 ? { year: year - 1, month: 12 } : { year, month: month - 1 };
  return written(before.year, before.month, Math.min(quota.resetDay, daysIn(before.year, before.month)));
}

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

function written(year: number, month: number, day: number): string {
  return `${year}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
}
