/** Whether the program around the node can do something, and why not. Pure. */
import type { CallOutput } from "../../../src-shared/ipc/contract.ts";

export type HostFacts = CallOutput<"host.facts">;

/** `headless` and `cannot` are both "no", with different reasons; `unknown` is no answer. */
export type Ability = "can" | "headless" | "cannot" | "asking" | "unknown";

export function abilityOf(
  facts: HostFacts | undefined,
  key: "canStartAtLogin" | "canKeepAwake",
  failed: boolean,
): Ability {
  if (facts === undefined) return failed ? "unknown" : "asking";
  if (facts[key]) return "can";
  return facts.kind === "headless" ? "headless" : "cannot";
}
