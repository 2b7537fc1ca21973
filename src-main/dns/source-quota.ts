/** So many at once in all, and so many at once per source: one guest cannot use up what is there for everybody. */
export class QuotaBySource {
  readonly #max: number;
  readonly #maxPerSource: number;
  readonly #held = new Map<string, number>();
  #total = 0;

  constructor(max: number, maxPerSource: number) {
    this.#max = max;
    this.#maxPerSource = maxPerSource;
  }

  /** A function that gives the place back, once; undefined when there is none. */
  take(source: string): (() => void) | undefined {
    const held = this.#held.get(source) ?? 0;
    if (this.#total >= this.#max || held >= this.#maxPerSource) return undefined;
    this.#total += 1;
    this.#held.set(source, held + 1);
    let taken = true;
    return () => {
      if (!taken) return;
      taken = false;
      this.#total -= 1;
      const left = (this.#held.get(source) ?? 1) - 1;
      if (left === 0) this.#held.delete(source);
      else this.#held.set(source, left);
    };
  }
}
