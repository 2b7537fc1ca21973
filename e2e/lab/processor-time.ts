/** What processes have used of a processor, from proc(5). */
import { readFileSync } from "node:fs";
import type { HostProcess } from "./processes.ts";

/** USER_HZ: what /proc counts in, on every architecture that Linux has. */
const TICKS_PER_SECOND = 100;

/** Seconds of processor time of these processes and of the children they have waited for. */
export function processorSeconds(processes: readonly HostProcess[]): number {
  let ticks = 0;
  for (const { outerPid } of processes) {
    try {
      const stat = readFileSync(`/proc/${outerPid}/stat`, "utf8");
      // Behind the name in parentheses come state (field 3) and so on; utime to cstime are fields 14 to 17.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      for (const field of fields.slice(11, 15)) ticks += Number(field);
    } catch {
      // It ended: whoever waited for it counts it.
    }
  }
  return ticks / TICKS_PER_SECOND;
}
