/**
 * Whether the internet answers to the guests' IPv6 addresses: a connection from the node's own address in the guest network,
 * which takes the same way out, translated or not, as a guest's.
 */
import type { Clock } from "../../src-shared/clock.ts";
import type { Endpoint } from "../../src-shared/net/endpoint.ts";
import { fail, ok, type Result } from "../../src-shared/result.ts";
import { firstToAnswer } from "../routing/reach-target.ts";

/** A connection to the other side of the world takes a third of a second. */
const CONNECT_WITHIN_MS = 4_000;

export interface Ipv6Question {
  /** The node's tunnel address. */
  readonly from: string;
  /** Tried all at once; one that answers is enough. */
  readonly targets: readonly Endpoint[];
  readonly signal: AbortSignal;
}

/** Errors: `ipv6-no-target` where there is nobody to ask, `ipv6-no-answer`. Never rejects. */
export async function checkIpv6({ from, targets, signal }: Ipv6Question, clock: Clock): Promise<Result<Endpoint>> {
  if (targets.length === 0) {
    return fail(
      "ipv6-no-target",
      "No address is set that guests' IPv6 could be tried with.",
      "Name one: higgsnode settings set egressTargets=…",
    );
  }
  const answered = await firstToAnswer(targets, { from, withinMs: CONNECT_WITHIN_MS, clock, signal });
  if (answered !== undefined) return ok(answered);
  return fail(
    "ipv6-no-answer",
    "Nobody on the internet answers to the guests' IPv6 addresses; guests use IPv4.",
    "Ask your provider whether IPv6 works. Where guests have addresses of their own, let them share this computer's instead, in the settings.",
  );
}
