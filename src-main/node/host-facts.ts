/** What the program around the node can do: a node does not know by itself whether it is in a desktop app. */
import type { CallOutput } from "../../src-shared/ipc/contract.ts";

export type HostFacts = CallOutput<"host.facts">;

export const HEADLESS: HostFacts = { kind: "headless", canStartAtLogin: false, canKeepAwake: false };
