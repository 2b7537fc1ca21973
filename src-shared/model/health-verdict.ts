/** What one part of the node says of itself; how grave that is, and whether it is shown, is decided by who knows the others. */
import type { HiggsError } from "../result.ts";

/** `unknown`: no outcome yet. `off`: not asked for. `error`, with a hint, is there exactly while the state is `bad`. */
export interface HealthVerdict {
  readonly state: "good" | "bad" | "unknown" | "off";
  readonly error?: HiggsError;
}
