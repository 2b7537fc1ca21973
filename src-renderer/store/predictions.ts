/**
 * What the owner asked for and the node has not confirmed: shown at once, marked as predicted, and gone again when the
 * answer is there or when the time is up. Nothing is invented beyond that.
 */

export interface Prediction {
  readonly value: unknown;
  readonly expiresAtMs: number;
}

export type Predictions = Readonly<Record<string, Prediction>>;

/** The node confirms within milliseconds; what takes longer than this is better shown as it is. */
export const PREDICTION_MS = 5_000;

/** `share`, `setting.theme`, `client.ID.paused`. */
export type PredictionKey = "share" | `setting.${string}` | `client.${string}.paused`;

export function predicted(held: Predictions, key: PredictionKey, value: unknown, nowMs: number): Predictions {
  return { ...held, [key]: { value, expiresAtMs: nowMs + PREDICTION_MS } };
}

export function settled(held: Predictions, keys: readonly string[]): Predictions {
  return Object.fromEntries(Object.entries(held).filter(([key]) => !keys.includes(key)));
}

/** Without those whose time is up; the same object where there are none. */
export function unexpired(held: Predictions, nowMs: number): Predictions {
  const entries = Object.entries(held);
  const alive = entries.filter(([, { expiresAtMs }]) => expiresAtMs > nowMs);
  return alive.length === entries.length ? held : Object.fromEntries(alive);
}

export interface Shown<T> {
  readonly value: T;
  /** Not confirmed by the node yet. */
  readonly predicted: boolean;
}

/** The predicted value where there is one, else the one the node tells. */
export function shownValue<T>(held: Predictions, key: PredictionKey, actual: T): Shown<T> {
  const prediction = held[key];
  return prediction === undefined
    ? { value: actual, predicted: false }
    : { value: prediction.value as T, predicted: true };
}
