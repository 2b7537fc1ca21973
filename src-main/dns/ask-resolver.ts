/** One question to one resolver, over UDP or TCP. */
import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import type { Clock } from "../../src-shared/clock.ts";
import { buildUpstreamQuery, type DnsQuery, frameForTcp, isAnswerTo } from "./message.ts";
import type { Resolver } from "./resolvers.ts";

/** Most resolvers answer in 50 ms; a guest's own resolver asks again after 5 s (resolv.conf(5)), and we have others to try. */
export const ATTEMPT_TIMEOUT_MS = 2_000;

/** So many answers that do not fit the question are no accident: somebody guesses (RFC 5452, section 9.3). */
const MAX_WRONG_ANSWERS = 16;

/** Started once; `answer` is undefined when there was none, whatever the reason. `cancel` makes it so at once. */
export interface Asking {
  readonly answer: Promise<Buffer | undefined>;
  cancel(): void;
}

/**
 * Over UDP: a socket of its own for each question, so that the system draws a new source port
 * (RFC 5452, section 9.2), and connected, so that it takes datagrams from that resolver alone.
 */
export function askOverUdp(resolver: Resolver, query: DnsQuery, clock: Clock): Asking {
  const id = randomInt(0x1_0000);
  return asking(clock, (finish) => {
    const socket = createSocket(resolver.address.includes(":") ? "udp6" : "udp4");
    let wrong = 0;
    socket.on("error", () => finish(undefined));
    socket.on("message", (message) => {
      if (isAnswerTo(message, query, id)) finish(message);
      else if (++wrong >= MAX_WRONG_ANSWERS) finish(undefined);
    });
    socket.on("connect", () => socket.send(buildUpstreamQuery(query, id)));
    socket.connect(resolver.port, resolver.address);
    return () => socket.close();
  });
}

/** Over TCP, one connection per question: for answers that UDP cannot carry, which are rare. */
export function askOverTcp(resolver: Resolver, query: DnsQuery, clock: Clock): Asking {
  const id = randomInt(0x1_0000);
  return asking(clock, (finish) => {
    const socket = connect(resolver.port, resolver.address);
    let received = Buffer.alloc(0);
    socket.on("error", () => finish(undefined));
    socket.on("close", () => finish(undefined));
    socket.on("connect", () => socket.write(frameForTcp(buildUpstreamQuery(query, id))));
    socket.on("data", (chunk: Buffer) => {
      // Never more than one message and one chunk: the length is 16 bits, and we stop at it.
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const message = received.subarray(2, 2 + received.readUInt16BE(0));
      finish(isAnswerTo(message, query, id) ? message : undefined);
    });
    return () => socket.destroy();
  });
}

function asking(clock: Clock, start: (finish: (answer: Buffer | undefined) => void) => () => void): Asking {
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  let open = true;
  let close = (): void => {};
  const finish = (answer: Buffer | undefined): void => {
    if (!open) return;
    open = false;
    cancelTimer();
    close();
    resolve(answer);
  };
  const cancelTimer = clock.after(ATTEMPT_TIMEOUT_MS, () => finish(undefined));
  try {
    close = start(finish);
  } catch {
    // No socket to be had, or an address the system cannot use: no answer, like any other reason.
    finish(undefined);
  }
  return { answer: promise, cancel: () => finish(undefined) };
}
