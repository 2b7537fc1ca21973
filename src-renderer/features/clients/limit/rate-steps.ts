/** The rate slider: useful speeds of home connections, close together where they are small, and no limit at the end. */

export const RATE_STEPS_MBIT: readonly number[] = [
  0.25, 0.5, 1, 2, 3, 5, 8, 10, 15, 20, 30, 40, 50, 75, 100, 150, 200, 300, 500, 1000,
];

/** The slider's last place: no limit. */
export const NO_LIMIT_STEP = RATE_STEPS_MBIT.length;

/** The step nearest to a rate in Mbit/s, on the scale that the slider has; undefined is no limit. */
export function stepOf(mbit: number | undefined): number {
  if (mbit === undefined) return NO_LIMIT_STEP;
  let nearest = 0;
  for (const [at, step] of RATE_STEPS_MBIT.entries()) {
    const best = RATE_STEPS_MBIT[nearest] ?? 0;
    if (Math.abs(Math.log(mbit / step)) < Math.abs(Math.log(mbit / best))) nearest = at;
  }
  return nearest;
}

/** What the field shows at a step; empty for no limit. */
export function textOfStep(step: number): string {
  const mbit = RATE_STEPS_MBIT[step];
  return mbit === undefined ? "" : String(mbit);
}
