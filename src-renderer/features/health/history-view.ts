/** Lines of the history from pages and from events, each once, newest first. Pure. */
import type { HealthEvent } from "../../../src-shared/model/health.ts";

/** Where both have a line, the one of `one` is taken. */
export function mergeEvents(one: readonly HealthEvent[], other: readonly HealthEvent[]): HealthEvent[] {
  const byId = new Map([...other, ...one].map((event) => [event.id, event]));
  return [...byId.values()].sort((first, second) => second.id - first.id);
}
