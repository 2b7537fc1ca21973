/** `higgsnode restore-network` */
import type { Command } from "commander";
import type { RestoreResult } from "../../src-shared/helper/protocol.ts";
import { fail, ok } from "../../src-shared/result.ts";
import { EXIT } from "./exit-code.ts";
import type { Session } from "./session.ts";
import { helperOption } from "./start.ts";

export function addRestoreNetwork(program: Command, session: Session): void {
  program
    .command("restore-network")
    .description("undo everything an earlier run left behind, without a running node")
    .addOption(helperOption())
    .action((options: { helper?: string }) =>
      session.run(async () => {
        const phase = await session.withNode(async (node) => {
          const state = await node.call("node.state", {});
          return state.ok ? ok(state.value.value.node.phase) : state;
        });
        // A node that does not share has nothing in the network; what is left is somebody else's doing.
        if (phase.ok && phase.value !== "stopped" && phase.value !== "failed") {
          return fail(
            "node-sharing",
            "a node is sharing, and its network is its own",
            "Turn it off with: higgsnode off",
          );
        }
        if (!phase.ok && phase.error.code !== "not-running") return phase;
        const restored = await session.host.parts.restoreNetwork({
          dataDir: session.dataDir,
          helperPath: options.helper ?? session.host.helperPath,
        });
        if (!restored.ok) return restored;
        session.print(restored.value, () => restoredText(restored.value));
        return ok(restored.value.failed.length === 0 ? EXIT.done : EXIT.failed);
      }),
    );
}

function restoredText({ undone, failed }: RestoreResult): string {
  if (undone.length === 0 && failed.length === 0) return "Nothing was left to undo.";
  const list = (title: string, entries: readonly string[]) =>
    entries.length === 0 ? [] : [title, ...entries.map((entry) => `  ${entry}`)];
  return [...list("Undone:", undone), ...list("Could not be undone:", failed)].join("\n");
}
