/** Tells of refused requests: the first of each kind at once, and how many more there were, so that an attack fills no disk. */
import type { Clock } from "../../src-shared/clock.ts";

/** A line per kind and half minute tells what is going on. */
export const QUIET_MS = 30_000;

export type RefusalFields = { readonly source: string; readonly more?: number };

export class RefusalLog {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #write: (what: string, fields: RefusalFields) => void;
  /** Of each kind: when it was last told, and how many have come since. The kinds are words of this program. */
  readonly #kinds = new Map<string, { toldMs: number; more: number }>();

  constructor(clock: Pick<Clock, "monotonicMs">, write: (what: string, fields: RefusalFields) => void) {
    this.#clock = clock;
    this.#write = write;
  }

  /** @param what a fixed word for the kind; nothing that came with the request */
  tell(what: string, source: string | undefined): void {
    const nowMs = this.#clock.monotonicMs();
    const kind = this.#kinds.get(what);
    if (kind !== undefined && nowMs - kind.toldMs < QUIET_MS) {
      kind.more++;
      return;
    }
    this.#kinds.set(what, { toldMs: nowMs, more: 0 });
    const more = kind?.more ?? 0;
    this.#write(what, { source: source ?? "unknown", ...(more === 0 ? {} : { more }) });
  }
}
