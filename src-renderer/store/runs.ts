/** Calls that take a while and belong to the page, not to a screen: whoever comes back finds them under way, or what they brought. */
import type { CallName, CallOutput } from "../../src-shared/ipc/contract.ts";
import type { HiggsError, Result } from "../../src-shared/result.ts";

const KEPT = ["diagnose.run", "diagnose.selfTest"] as const satisfies readonly CallName[];
export type KeptCall = (typeof KEPT)[number];

export interface Run<N extends CallName> {
  readonly busy: boolean;
  readonly error: HiggsError | undefined;
  /** The last value that was answered; it stays while the next one is under way. */
  readonly value: CallOutput<N> | undefined;
}

export type Runs = { readonly [N in KeptCall]: Run<N> };

export const NOTHING_RUN: Runs = {
  "diagnose.run": { busy: false, error: undefined, value: undefined },
  "diagnose.selfTest": { busy: false, error: undefined, value: undefined },
};

export function isKept(name: CallName): name is KeptCall {
  return KEPT.some((kept) => kept === name);
}

export function begun(runs: Runs, name: KeptCall): Runs {
  return { ...runs, [name]: { ...runs[name], busy: true, error: undefined } };
}

export function ended(runs: Runs, name: KeptCall, answer: Result<unknown>): Runs {
  const { value } = runs[name];
  const run = answer.ok ? { busy: false, value: answer.value } : { busy: false, error: answer.error, value };
  return { ...runs, [name]: run };
}
