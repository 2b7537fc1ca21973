/** The time, for texts that grow by themselves. One timer serves the whole page. */
import { useSyncExternalStore } from "react";

/** Relative times change by the second at first; a page that redraws more often gains nothing. */
const TICK_MS = 1_000;

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let nowMs = Date.now();

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) {
    nowMs = Date.now();
    timer = setInterval(() => {
      nowMs = Date.now();
      for (const each of [...listeners]) each();
    }, TICK_MS);
  }
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) clearInterval(timer);
  };
}

/** Milliseconds since the epoch, anew every second. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => nowMs);
}
