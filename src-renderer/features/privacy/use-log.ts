/** The log page by page, newest first, anew whenever the filter changes. */
import { useCallback, useEffect, useRef, useState } from "react";
import type { LogEntry } from "../../../src-shared/model/privacy.ts";
import type { HiggsError } from "../../../src-shared/result.ts";
import { useActions, useConnected } from "../../store/hooks.ts";
import { filterOf, type LogFilterDraft } from "./log-filter.ts";

/** A page that is on the screen within a moment, and long enough to scroll through. */
export const PAGE_ENTRIES = 50;
/** More rows make the page slow, and nobody reads them: search narrows, and the export has them all. */
export const MAX_SHOWN_ENTRIES = 1_000;
/** Somebody who types is not asked about every letter. */
const TYPING_MS = 250;

export interface ShownLog {
  readonly entries: readonly LogEntry[];
  readonly busy: boolean;
  readonly error: HiggsError | undefined;
  /** Whether there is more to load, within what is shown at most. */
  readonly hasMore: boolean;
  readonly isFull: boolean;
  readonly loadMore: () => void;
  readonly reload: () => void;
}

interface Held {
  readonly entries: readonly LogEntry[];
  readonly next: string | null;
  readonly busy: boolean;
  readonly error: HiggsError | undefined;
}

const NOTHING: Held = { entries: [], next: null, busy: true, error: undefined };

export function useLog(draft: LogFilterDraft): ShownLog {
  const { call } = useActions();
  const connected = useConnected();
  const key = JSON.stringify(filterOf(draft));
  const latest = useRef(0);
  const [held, setHeld] = useState<Held>(NOTHING);

  const load = useCallback(
    async (cursor: string | null) => {
      const mine = ++latest.current;
      setHeld((before) => ({ ...before, busy: true, error: undefined }));
      const filter = JSON.parse(key) as ReturnType<typeof filterOf>;
      const answer = await call("privacy.log", {
        ...filter,
        limit: PAGE_ENTRIES,
        ...(cursor === null ? {} : { cursor }),
      });
      if (mine !== latest.current) return;
      setHeld((before) => {
        if (!answer.ok) return { ...before, busy: false, error: answer.error };
        const entries = cursor === null ? answer.value.entries : [...before.entries, ...answer.value.entries];
        return { entries, next: answer.value.next, busy: false, error: undefined };
      });
    },
    [call, key],
  );

  useEffect(() => {
    if (!connected) return;
    const timer = setTimeout(() => void load(null), TYPING_MS);
    return () => clearTimeout(timer);
  }, [connected, load]);

  const isFull = held.entries.length >= MAX_SHOWN_ENTRIES;
  return {
    ...held,
    hasMore: held.next !== null && !isFull,
    isFull: held.next !== null && isFull,
    loadMore: () => void load(held.next),
    reload: () => void load(null),
  };
}
