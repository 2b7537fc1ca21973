/** Notices that a router has lost its mappings: its epoch does not go on from where it was. */
import type { Clock } from "../../src-shared/clock.ts";

/** RFC 6887, section 8.5: answers may overtake each other by this much. */
const REORDERING_SECONDS = 1;
/** The same section: room for rounding and for the time a message travels. */
const TRAVEL_SECONDS = 2;
/** The same section: two clocks may drift apart by a sixteenth. */
const DRIFT_PARTS = 16;

export class EpochTracker {
  readonly #clock: Pick<Clock, "monotonicMs">;
  #last: { epochSeconds: number; atMs: number } | undefined;

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  /** Takes the epoch of an answer. False when the router must have lost its state since the answer before. */
  accept(epochSeconds: number): boolean {
    const atMs = this.#clock.monotonicMs();
    const last = this.#last;
    this.#last = { epochSeconds, atMs };
    if (last === undefined) return true;
    const server = epochSeconds - last.epochSeconds;
    if (server < -REORDERING_SECONDS) return false;
    const client = Math.floor((atMs - last.atMs) / 1000);
    return !(
      client + TRAVEL_SECONDS < server - server / DRIFT_PARTS || server + TRAVEL_SECONDS < client - client / DRIFT_PARTS
    );
  }
}
