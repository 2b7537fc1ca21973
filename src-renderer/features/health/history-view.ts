/** Lines of the history from pages and from events, each once, newest first. Pure. */
import type { HealthEvent } from "../../../src-shared/model/health.ts";

/** Where both have a line, the one of `one` is taken. */
export function mergeEvents(one: readonly HealthEvent[], other: readonly HealthEvent[]): HealthEvent[] {
  const byId = new Map([...other, ...one].map((event) => [event.id, event]));
  return [...byId.values()].sort((first, second) => second.id - first.id);
}

/** What is shown in one place: an event, with the attempts at the same repair that went before it. */
export interface EventGroup {
  /** The newest. */
  readonly event: HealthEvent;
  /** How often a repair was tried; 0 for what is no repair. */
  readonly attempts: number;
  /** The line above has said the same of the same fact. */
  readonly errorIsKnown: boolean;
}

/** Attempts at one repair in a row become one line; an error is told once in a row of lines about the same fact. Newest first. */
export function groupEvents(events: readonly HealthEvent[]): EventGroup[] {
  const groups: EventGroup[] = [];
  for (const event of events) {
    const above = groups.at(-1);
    const tried = event.kind === "recovery-step" ? 1 : 0;
    if (above !== undefined && isAttempt(event) && isAttempt(above.event) && above.event.fact === event.fact) {
      groups[groups.length - 1] = { ...above, attempts: above.attempts + tried };
    } else {
      const errorIsKnown =
        above !== undefined && above.event.fact === event.fact && above.event.error?.message === event.error?.message;
      groups.push({ event, attempts: tried, errorIsKnown: errorIsKnown && event.error !== null });
    }
  }
  return groups;
}

function isAttempt({ kind }: HealthEvent): boolean {
  return kind === "recovery-step" || kind === "recovery-failed";
}
