/** A value that others follow: each change has the next revision, and setting an equal value is no change. */
import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";

/** Tells the revisions of one run of the process from those of another. */
const RUN = randomUUID();

export interface Revised<T> {
  run: string;
  revision: number;
  value: T;
}

export class Published<T> {
  readonly #listeners = new Set<(revised: Revised<T>) => void>();
  #value: T;
  #revision = 0;

  constructor(value: T) {
    this.#value = value;
  }

  get current(): Revised<T> {
    return { run: RUN, revision: this.#revision, value: this.#value };
  }

  set(value: T): void {
    if (isDeepStrictEqual(value, this.#value)) return;
    this.#value = value;
    this.#revision++;
    const { current } = this;
    for (const listener of this.#listeners) listener(current);
  }

  follow(listener: (revised: Revised<T>) => void): void {
    this.#listeners.add(listener);
  }
}
