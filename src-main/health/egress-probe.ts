/** Whether the internet answers to a connection that leaves as a guest's does: from the node's own tunnel address. */
import { connect } from "node:net";
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";
import type { HealthVerdict } from "../../src-shared/model/health-verdict.ts";
import { parseAddress } from "../../src-shared/net/address.ts";
import { type Endpoint, parseEndpoint } from "../../src-shared/net/endpoint.ts";

/** The other side of the world answers in a third of a second, a satellite in one. */
const ANSWERS_WITHIN_MS = 3_000;

/** All are tried at once; more would tell nothing new. */
const MAX_TARGETS = 4;

export interface EgressQuestion {
  family: 4 | 6;
  /** The node's tunnel address of that family. */
  from: string;
  /** `address:port`, both families mixed, as the settings have them. */
  targets: readonly string[];
  clock: Clock;
}

/** One that answers is enough. `off` where no target of the family is set. Never rejects. */
export async function probeEgress({ family, from, targets, clock }: EgressQuestion): Promise<HealthVerdict> {
  const endpoints = targets
    .flatMap((text) => parseEndpoint(text) ?? [])
    .filter(({ host }) => parseAddress(host)?.family === family)
    .slice(0, MAX_TARGETS);
  if (endpoints.length === 0) return { state: "off" };
  const attempts = endpoints.map((endpoint) => attempt(endpoint, from, clock));
  try {
    await Promise.any(attempts.map(({ answered }) => answered));
    return { state: "good" };
  } catch {
    return {
      state: "bad",
      error: {
        code: `egress${family === 6 ? "6" : ""}-no-answer`,
        message: `Nobody on the internet answers to the guests' IPv${family} connections.`,
        hint:
          family === 4
            ? "Look whether this computer itself can open a website; if not, restart the router or ask your provider."
            : "Guests use IPv4 meanwhile. Ask your provider whether IPv6 works.",
      },
    };
  } finally {
    for (const { end } of attempts) end();
  }
}

/** A refusal is an answer too. `end` closes the connection; whoever waits is rejected. */
function attempt({ host, port }: Endpoint, localAddress: string, clock: Clock) {
  const { promise: answered, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ host, port, localAddress });
  let cancel: CancelTimer = () => {};
  const end = () => {
    cancel();
    socket.destroy();
    reject(new Error("ended"));
  };
  cancel = clock.after(ANSWERS_WITHIN_MS, end);
  socket.once("connect", () => resolve());
  socket.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "ECONNREFUSED") resolve();
    else end();
  });
  // Those that are ended after the first answer have nobody left who waits.
  answered.catch(() => {});
  return { answered, end };
}
