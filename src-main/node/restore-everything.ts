/** What the owner's "restore my network" does: sharing ends, and whatever any earlier run left behind is undone. */
import type { RestoreResult } from "../../src-shared/helper/protocol.ts";
import type { Result } from "../../src-shared/result.ts";
import { unwrap } from "../../src-shared/result.ts";

export interface RestoreParts {
  node: { off(): Promise<Result<void>> };
  helper: { call(verb: "restore", params: Record<string, never>): Promise<Result<RestoreResult>> };
  /** Tells the router; must not fail. */
  ports: { cleanup(): Promise<void> };
}

/**
 * Names what could not be undone; empty where everything could. Fails with the helper's errors, such as
 * `permission-refused`: then nothing is known of what is left.
 */
export async function restoreEverything({ node, helper, ports }: RestoreParts): Promise<{ left: string[] }> {
  const off = await node.off();
  await ports.cleanup();
  const { failed } = unwrap(await helper.call("restore", {}));
  // A node that failed on its own way down sees now that nothing is left, and says so in its state.
  if (!off.ok && failed.length === 0) unwrap(await node.off());
  return { left: failed };
}
