/** What the owner can do to be reached, as keys of the catalogue with their values. Pure. */
import type { NatAdviceCode } from "../../../src-shared/model/nat-path.ts";
import { exitOf, type NodeState } from "../../../src-shared/model/node-state.ts";

export interface AdviceView {
  readonly codes: readonly NatAdviceCode[];
  /** Guests come in through the relay meanwhile: nothing has to be done. */
  readonly optional: boolean;
  /** Values for the texts; an address that is known comes with its brackets. */
  readonly values: { readonly port: number; readonly firstRouter: string; readonly secondRouter: string };
}

/** WireGuard's own default, for advice given before the node shares. */
const DEFAULT_PORT = 51820;

/** Undefined where nothing is to be done. */
export function adviceOf(state: NodeState): AdviceView | undefined {
  const { natPath, reachability, relay } = state;
  if (reachability.state === "reachable") return undefined;
  const given =
    reachability.state === "unreachable" ? reachability.advice : natPath.state === "known" ? natPath.advice : [];
  const codes = [...new Set(given.map(({ code }) => code))];
  if (codes.length === 0) return undefined;
  const hops = natPath.state === "known" ? natPath.hops : [];
  return {
    codes,
    optional: relay.state === "connected",
    values: {
      port: exitOf(state.node)?.listenPort ?? DEFAULT_PORT,
      firstRouter: inBrackets(hops.find(({ kind }) => kind === "home-router")?.externalAddress),
      secondRouter: inBrackets(hops.find(({ kind }) => kind === "second-router")?.address),
    },
  };
}

function inBrackets(address: string | null | undefined): string {
  return address === null || address === undefined ? "" : ` (${address})`;
}
