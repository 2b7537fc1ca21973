/** A weekly schedule as 7 × 24 marked hours, and back. */
import {
  minutesOf,
  type Schedule,
  type ScheduleWindow,
  WEEK_DAYS,
  type WeekDay,
} from "../../../../src-shared/model/limit.ts";

export const HOURS = 24;

/** Whether each hour is marked, Monday first. */
export type Week = readonly (readonly boolean[])[];

export const EMPTY_WEEK: Week = WEEK_DAYS.map(() => Array<boolean>(HOURS).fill(false));
export const FULL_WEEK: Week = WEEK_DAYS.map(() => Array<boolean>(HOURS).fill(true));
export const WORKING_WEEK: Week = WEEK_DAYS.map((_, day) =>
  Array.from({ length: HOURS }, (_hour, hour) => day < 5 && hour >= 8 && hour < 18),
);

/** An hour is marked where at least half of it is in a window. */
export function weekOf(windows: readonly ScheduleWindow[]): Week {
  return WEEK_DAYS.map((day) =>
    Array.from({ length: HOURS }, (_, hour) => {
      const minutes = windows
        .filter(({ days }) => days.includes(day))
        .reduce((sum, window) => sum + overlap(window, hour * 60, (hour + 1) * 60), 0);
      return minutes >= 30;
    }),
  );
}

/** Whether every time of the schedule is a full hour, so that the marked hours say all of it. */
export function isHourly({ windows }: Schedule): boolean {
  return windows.every(({ from, to }) => from.endsWith(":00") && to.endsWith(":00"));
}

/** The fewest windows for the marked hours: days with the same hours share theirs. */
export function windowsOf(week: Week): ScheduleWindow[] {
  const days = new Map<string, WeekDay[]>();
  for (const [at, hours] of week.entries()) {
    const day = WEEK_DAYS[at];
    if (day === undefined) continue;
    for (const run of runsOf(hours)) days.set(run, [...(days.get(run) ?? []), day]);
  }
  return [...days].map(([run, named]) => {
    const [from = "", to = ""] = run.split(" ");
    return { days: named, from, to };
  });
}

export function withCell(week: Week, day: number, hour: number, marked: boolean): Week {
  return week.map((hours, at) => (at === day ? hours.map((was, h) => (h === hour ? marked : was)) : hours));
}

/** `8` → `08:00`. */
export function hourText(hour: number): string {
  return `${String(hour).padStart(2, "0")}:00`;
}

function runsOf(hours: readonly boolean[]): string[] {
  const runs: string[] = [];
  let start: number | undefined;
  for (let hour = 0; hour <= HOURS; hour++) {
    const marked = hours[hour] === true;
    if (marked && start === undefined) start = hour;
    if (!marked && start !== undefined) {
      runs.push(`${hourText(start)} ${hourText(hour)}`);
      start = undefined;
    }
  }
  return runs;
}

function overlap({ from, to }: ScheduleWindow, start: number, end: number): number {
  return Math.max(0, Math.min(end, minutesOf(to) ?? 0) - Math.max(start, minutesOf(from) ?? 0));
}
