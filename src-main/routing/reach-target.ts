/** Whether somebody out there answers: tried by a TCP connection that is closed as soon as it stands. */
import { connect } from "node:net";
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";
import type { Endpoint } from "../../src-shared/net/endpoint.ts";

export interface Reaching {
  /** An address of this machine to connect from; the system's choice where none is given. */
  readonly from?: string;
  readonly withinMs: number;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/** A refusal comes from the other end as well, so it is an answer. Never rejects; false once `signal` fires. */
export function reachTarget({ host, port }: Endpoint, { from, withinMs, clock, signal }: Reaching): Promise<boolean> {
  if (signal?.aborted === true) return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = connect({ host, port, ...(from === undefined ? {} : { localAddress: from }) });
    let cancel: CancelTimer = () => {};
    const end = (reached: boolean) => {
      cancel();
      signal?.removeEventListener("abort", aborted);
      socket.destroy();
      resolve(reached);
    };
    const aborted = () => end(false);
    cancel = clock.after(withinMs, aborted);
    signal?.addEventListener("abort", aborted, { once: true });
    socket.once("connect", () => end(true));
    socket.on("error", (error: NodeJS.ErrnoException) => end(error.code === "ECONNREFUSED"));
  });
}

/** Tries all at once and gives up the others when one has answered; undefined where none does. Never rejects. */
export async function firstToAnswer(targets: readonly Endpoint[], reaching: Reaching): Promise<Endpoint | undefined> {
  const enough = new AbortController();
  const signal = reaching.signal === undefined ? enough.signal : AbortSignal.any([enough.signal, reaching.signal]);
  const tries = targets.map(async (target) => {
    if (!(await reachTarget(target, { ...reaching, signal }))) throw new Error("no answer");
    return target;
  });
  try {
    return await Promise.any(tries);
  } catch {
    return undefined;
  } finally {
    enough.abort();
  }
}
