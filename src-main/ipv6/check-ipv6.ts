/**
 * Whether the internet answers to the guests' IPv6 addresses: a connection from the node's own address in the guest network,
 * which takes the same way out, translated or not, as a guest's.
 */
import { connect } from "node:net";
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";
import type { Endpoint } from "../../src-shared/net/endpoint.ts";
import { fail, ok, type Result } from "../../src-shared/result.ts";

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
  try {
    return ok(await Promise.any(targets.map((target) => reach(target, from, signal, clock))));
  } catch {
    return fail(
      "ipv6-no-answer",
      "Nobody on the internet answers to the guests' IPv6 addresses; guests use IPv4.",
      "Ask your provider whether IPv6 works, or set guestIpv6Mode=nat66 where a prefix is not routed to this computer.",
    );
  }
}

/** Resolves once the target accepts, or refuses, which is an answer too. */
function reach(target: Endpoint, localAddress: string, signal: AbortSignal, clock: Clock): Promise<Endpoint> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: target.host, port: target.port, localAddress, family: 6 });
    let cancel: CancelTimer = () => {};
    const end = (error?: Error) => {
      cancel();
      signal.removeEventListener("abort", aborted);
      socket.destroy();
      if (error === undefined) resolve(target);
      else reject(error);
    };
    const aborted = () => end(new Error("aborted"));
    cancel = clock.after(CONNECT_WITHIN_MS, () => end(new Error("silence")));
    signal.addEventListener("abort", aborted);
    socket.once("connect", () => end());
    socket.once("error", (error: NodeJS.ErrnoException) => end(error.code === "ECONNREFUSED" ? undefined : error));
    if (signal.aborted) aborted();
  });
}
