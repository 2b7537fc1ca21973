/** How a command ends, for scripts. */
import type { HiggsError } from "../../src-shared/result.ts";

export const EXIT = { done: 0, failed: 1, usage: 2, notRunning: 3, notPermitted: 4 } as const;

export function exitCodeOf(error: HiggsError): number {
  switch (error.code) {
    case "bad-usage":
      return EXIT.usage;
    case "not-running":
      return EXIT.notRunning;
    case "not-permitted":
    case "permission-refused":
      return EXIT.notPermitted;
    default:
      return EXIT.failed;
  }
}
