/** The helper's own log: one JSON line per event, in its state directory, readable by root only. */
import { appendFileSync, renameSync, statSync } from "node:fs";
import type { Clock } from "../src-shared/clock.ts";

/** Two files of this size are kept: weeks of ordinary use. */
const MAX_LOG_BYTES = 1024 * 1024;

export interface HelperLog {
  /** `fields` must hold no addresses and no keys: reports are made from this. */
  write(event: string, fields?: Record<string, string | number | boolean>): void;
}

export function openLog(path: string, clock: Clock): HelperLog {
  return {
    write(event, fields = {}) {
      const line = `${JSON.stringify({ at: new Date(clock.nowMs()).toISOString(), event, ...fields })}\n`;
      try {
        if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG_BYTES) renameSync(path, `${path}.1`);
        appendFileSync(path, line, { mode: 0o600 });
      } catch {
        // A full disk must not stop the helper from restoring the network.
      }
    },
  };
}
