/** Programs that run as long as this one does, and no longer. */
import { accessSync, constants } from "node:fs";

/** setpriv(1) of util-linux. Other systems have one that cannot do this, or elsewhere, and are left alone. */
const SETPRIV = "/usr/bin/setpriv";

/** How setpriv(1) ends where there is no such program, or none that may be run; the programs started here have no such code. */
export const NOT_STARTED_EXIT_CODES: ReadonlySet<number | null> = new Set([126, 127]);

/**
 * A program that only waits does not notice that nobody reads what it prints: after `kill -9` of the helper it would stay until
 * it next has something to say. The kernel ends it with its parent instead (PR_SET_PDEATHSIG, prctl(2)). The process id is that
 * of the program itself, since setpriv becomes it.
 *
 * @returns the command to start in place of the given one
 */
export function withLifeTied(command: readonly [string, ...string[]]): readonly [string, ...string[]] {
  try {
    accessSync(SETPRIV, constants.X_OK);
  } catch {
    return command;
  }
  return [SETPRIV, "--pdeathsig", "KILL", "--", ...command];
}
