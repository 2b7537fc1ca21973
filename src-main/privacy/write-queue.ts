/** Gathers what arrives one by one and hands it on in batches, because a transaction on disk costs as much as a thousand rows. */
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";

/** A power cut may lose this much of the log; somebody who watches it sees an entry after half a second. */
const FLUSH_AFTER_MS = 500;

/** Written in some 10 ms: longer would be felt in the window. */
const FLUSH_AT_ITEMS = 1_000;

export interface WriteQueueOptions<T> {
  clock: Clock;
  /** Takes all items at once; whether it can write them or not, they are gone from the queue. Must not throw. */
  write: (items: readonly T[]) => void;
}

export class WriteQueue<T> {
  readonly #options: WriteQueueOptions<T>;
  #items: T[] = [];
  #cancelTimer: CancelTimer | undefined;

  constructor(options: WriteQueueOptions<T>) {
    this.#options = options;
  }

  push(item: T): void {
    this.#items.push(item);
    if (this.#items.length >= FLUSH_AT_ITEMS) this.flush();
    else this.#cancelTimer ??= this.#options.clock.after(FLUSH_AFTER_MS, () => this.flush());
  }

  /** Writes what waits, now. */
  flush(): void {
    const items = this.#take();
    if (items.length > 0) this.#options.write(items);
  }

  /** Forgets what waits. */
  clear(): void {
    this.#take();
  }

  #take(): T[] {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const items = this.#items;
    this.#items = [];
    return items;
  }
}
