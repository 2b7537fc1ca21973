/** What the clock on the wall of a time zone shows. The platform's own zone data knows about daylight saving. */
import type { WeekDay } from "../../src-shared/model/limit.ts";

export interface LocalTime {
  year: number;
  /** 1 to 12. */
  month: number;
  day: number;
  weekDay: WeekDay;
  /** Since midnight, as the clock shows it: in the night of a change some minutes come twice and others never. */
  minutes: number;
}

/** Making a format takes a hundred times as long as using it; there are some 400 zones. */
const formats = new Map<string, Intl.DateTimeFormat>();

/** @param timeZone a name that Intl knows */
export function localTime(nowMs: number, timeZone: string): LocalTime {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone,
      calendar: "gregory",
      hourCycle: "h23",
      weekday: "short",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
    });
    formats.set(timeZone, format);
  }
  const parts = new Map(format.formatToParts(nowMs).map(({ type, value }) => [type, value]));
  const number = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type));
  return {
    year: number("year"),
    month: number("month"),
    day: number("day"),
    weekDay: (parts.get("weekday") ?? "").toLowerCase() as WeekDay,
    minutes: number("hour") * 60 + number("minute"),
  };
}
