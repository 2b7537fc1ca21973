/** `higgsnode on` and `higgsnode off` */
import type { Command } from "commander";
import type { NodeState } from "../../src-shared/model/node-state.ts";
import { ok, type Result } from "../../src-shared/result.ts";
import { EXIT } from "./exit-code.ts";
import type { Session } from "./session.ts";
import { statusText } from "./status.ts";

export function addShare(program: Command, session: Session): void {
  program
    .command("on")
    .description("share this computer's internet connection")
    .action(() => set(session, "node.on"));
  program
    .command("off")
    .description("stop sharing and put the network back; the node keeps running")
    .action(() => set(session, "node.off"));
}

function set(session: Session, call: "node.on" | "node.off"): Promise<void> {
  return session.run(async () => {
    const answer = await session.withNode<{ value: NodeState }>((node) => node.call(call, {}));
    if (!answer.ok) return answer;
    const { value } = answer.value;
    const failure = failureOf(value);
    if (failure !== undefined) return failure;
    session.print(value, () => statusText(value, session.host.clock.nowMs(), session.host.columns));
    return ok(EXIT.done);
  });
}

/** A node that answers with the state `failed` has not done what was asked. */
function failureOf({ node }: NodeState): Result<never> | undefined {
  return node.phase === "failed" ? { ok: false, error: node.error } : undefined;
}
