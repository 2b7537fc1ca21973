/** Whether the page is as narrow as a phone: tables become lists then. */
import { useSyncExternalStore } from "react";

/** Below this a table of four columns no longer fits. */
const NARROW = "(max-width: 40rem)";

function subscribe(listener: () => void): () => void {
  const query = window.matchMedia(NARROW);
  query.addEventListener("change", listener);
  return () => query.removeEventListener("change", listener);
}

export function useNarrow(): boolean {
  return useSyncExternalStore(subscribe, () => window.matchMedia(NARROW).matches);
}
