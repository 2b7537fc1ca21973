/** `restore-network`: undoes what any earlier run left, without a running node. */
import { systemClock } from "../../src-shared/clock.ts";
import type { RestoreResult } from "../../src-shared/helper/protocol.ts";
import type { Result } from "../../src-shared/result.ts";
import { defaultHelperPath, openHelper } from "./open-helper.ts";

/** Starts a helper where none runs, which may raise the permission prompt. Errors: those of the helper. */
export async function restoreNetwork(options: { helperPath?: string | undefined }): Promise<Result<RestoreResult>> {
  const helper = openHelper({
    clock: systemClock,
    helperPath: options.helperPath ?? defaultHelperPath(),
    mayPrompt: true,
  });
  try {
    return await helper.call("restore", {});
  } finally {
    helper.dispose();
  }
}
