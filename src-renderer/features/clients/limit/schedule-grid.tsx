/**
 * The hours of a week to be marked: by click, by dragging, or with arrow keys and space. Days are rows where there is
 * room and columns on a narrow screen; the order in the page is the same, and the arrow keys follow what is seen.
 */
import { type KeyboardEvent, type PointerEvent, useRef, useState } from "react";
import { classNames } from "../../../components/class-names.ts";
import { useI18n } from "../../../i18n/i18n.tsx";
import { HOURS, hourText, type Week, withCell } from "./schedule-cells.ts";

const DAYS = 7;
/** 2024-01-01 was a Monday. */
const A_MONDAY_MS = Date.UTC(2024, 0, 1);
const DAY_MS = 86_400_000;

/** The same as in limit.css. */
const NARROW = "(max-width: 44rem)";

export function ScheduleGrid({ week, onChange }: { week: Week; onChange: (week: Week) => void }) {
  const { t, language } = useI18n();
  const grid = useRef<HTMLTableElement>(null);
  const [focused, setFocused] = useState({ day: 0, hour: 8 });
  /** What a drag marks the cells it passes with. */
  const paint = useRef<boolean>(undefined);

  function set(day: number, hour: number, marked: boolean) {
    if (week[day]?.[hour] !== marked) onChange(withCell(week, day, hour, marked));
  }
  function dragOver({ buttons }: PointerEvent, day: number, hour: number) {
    if (buttons === 1 && paint.current !== undefined) set(day, hour, paint.current);
  }
  function move(event: KeyboardEvent) {
    const step = stepOf(event.key, window.matchMedia(NARROW).matches);
    if (step === undefined) return;
    event.preventDefault();
    const day = (focused.day + step.day + DAYS) % DAYS;
    const hour = (focused.hour + step.hour + HOURS) % HOURS;
    setFocused({ day, hour });
    grid.current?.querySelector<HTMLElement>(`[data-cell="${day}-${hour}"]`)?.focus();
  }
  return (
    <table ref={grid} className="schedule" aria-label={t("clients.limit.grid")}>
      <thead>
        <tr className="schedule-row">
          <td />
          {Array.from({ length: HOURS }, (_, hour) => (
            <th key={hourText(hour)} scope="col" className="schedule-hour">
              <span className="hidden">{hourText(hour)}</span>
              <span aria-hidden="true">{hour % 3 === 0 ? hour : ""}</span>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {week.map((hours, day) => (
          <tr key={dayName(day, "long", language)} className="schedule-row">
            <th scope="row" className="schedule-day">
              {dayName(day, "short", language)}
            </th>
            {hours.map((marked, hour) => (
              <td key={hourText(hour)}>
                <button
                  type="button"
                  data-cell={`${day}-${hour}`}
                  className={classNames("schedule-cell", marked && "schedule-marked")}
                  tabIndex={focused.day === day && focused.hour === hour ? 0 : -1}
                  aria-pressed={marked}
                  aria-label={t("clients.limit.cell", {
                    day: dayName(day, "long", language),
                    from: hourText(hour),
                    to: hourText(hour + 1),
                  })}
                  onFocus={() => setFocused({ day, hour })}
                  onKeyDown={move}
                  onPointerDown={(event) => {
                    paint.current = event.pointerType === "mouse" ? !marked : undefined;
                  }}
                  onPointerEnter={(event) => dragOver(event, day, hour)}
                  onPointerLeave={(event) => dragOver(event, day, hour)}
                  onClick={() => set(day, hour, !marked)}
                />
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function stepOf(key: string, narrow: boolean): { day: number; hour: number } | undefined {
  const along = { day: 0, hour: 1 };
  const across = { day: 1, hour: 0 };
  switch (key) {
    case "ArrowRight":
      return narrow ? across : along;
    case "ArrowLeft":
      return back(narrow ? across : along);
    case "ArrowDown":
      return narrow ? along : across;
    case "ArrowUp":
      return back(narrow ? along : across);
    default:
      return undefined;
  }
}

function back({ day, hour }: { day: number; hour: number }) {
  return { day: -day, hour: -hour };
}

function dayName(day: number, style: "short" | "long", language: string): string {
  const format = new Intl.DateTimeFormat(language, { weekday: style, timeZone: "UTC" });
  return format.format(A_MONDAY_MS + day * DAY_MS);
}
