/** The link to the helper as this machine and user need it: root starts a child, others are asked. */
import { fileURLToPath } from "node:url";
import type { Clock } from "../../src-shared/clock.ts";
import { fail } from "../../src-shared/result.ts";
import { HelperLink } from "./helper-link.ts";
import { helperEndpoint } from "./helper-paths.ts";
import { launchChild } from "./launch-child.ts";
import { launchElevated } from "./launch-elevated.ts";
import { installedHelper, launchInstalled } from "./launch-installed.ts";

/** Our own child listens in a fraction of this even on a loaded machine. */
const CHILD_READY_WITHIN_MS = 15_000;

/** Time to find one's password. */
const PROMPT_READY_WITHIN_MS = 120_000;

/** The bundles stand side by side. */
export function defaultHelperPath(): string {
  return fileURLToPath(new URL("helper.mjs", import.meta.url));
}

/**
 * A link to the helper of this user, not connected yet. One is started where none runs: as a child for root, otherwise by the
 * system's permission prompt if `mayPrompt`; else what asks for it fails with `not-permitted`.
 */
export function openHelper(options: { clock: Clock; helperPath: string; mayPrompt: boolean }): HelperLink {
  const { clock, helperPath, mayPrompt } = options;
  const uid = process.getuid?.() ?? 0;
  const isRoot = uid === 0 && process.platform !== "win32";
  return new HelperLink({
    endpoint: helperEndpoint(uid, process.env),
    clock,
    prompts: !isRoot,
    readyWithinMs: isRoot ? CHILD_READY_WITHIN_MS : PROMPT_READY_WITHIN_MS,
    launch: (onExit) => {
      if (isRoot) return launchChild(helperPath, uid, onExit);
      const installed = mayPrompt ? installedHelper(helperPath) : undefined;
      if (installed !== undefined) return launchInstalled(installed, onExit);
      if (mayPrompt) return launchElevated(helperPath, onExit);
      return fail("not-permitted", "This needs root.", "Run it with sudo.");
    },
  });
}
