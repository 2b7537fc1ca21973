/** State that comes whole with a revision: what arrives late is dropped, a new run of the node begins anew. */

export interface Revised<T> {
  readonly run: string;
  readonly revision: number;
  readonly value: T;
}

/** The one of the two that is to be shown. */
export function newer<T>(held: Revised<T> | undefined, incoming: Revised<T>): Revised<T> {
  if (held === undefined || held.run !== incoming.run) return incoming;
  return incoming.revision > held.revision ? incoming : held;
}
