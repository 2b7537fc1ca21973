/** One question to the router by datagram, asked again until it is answered: PCP and NAT-PMP do it alike. */
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";
import { ok, type Result } from "../../src-shared/result.ts";
import type { DatagramSocket, Datagrams, Sender } from "./datagrams.ts";
import { mappingFail } from "./mapping-errors.ts";

/** RFC 6886, section 3.1: the first repeat after 250 ms, each later one after twice as long. */
const FIRST_REPEAT_MS = 250;

/** Sent at 0, 250, 750 and 1,750 ms. A router at home answers in milliseconds; the RFC's 64 s of patience is for none. */
const EXCHANGE_TIMEOUT_MS = 3_000;

export interface ExchangeOptions<T> {
  datagrams: Datagrams;
  clock: Clock;
  to: Sender;
  localAddress: string;
  message: Uint8Array;
  /** The answer's meaning; undefined for what answers another question, or is no answer. */
  accept: (message: Uint8Array) => T | undefined;
  signal: AbortSignal;
  timeoutMs?: number;
}

/** Errors: `router-silent`, `router-refused`, `socket-failed`, `own-address-gone`, `aborted`. */
export async function exchange<T>(options: ExchangeOptions<T>): Promise<Result<T>> {
  const { datagrams, clock, to, localAddress, message, accept, signal, timeoutMs = EXCHANGE_TIMEOUT_MS } = options;
  let settle: (result: Result<T>) => void = () => {};
  const settled = new Promise<Result<T>>((resolve) => {
    settle = resolve;
  });
  const opened = await datagrams.connect(
    to,
    localAddress,
    {
      onMessage: (answer) => {
        const value = accept(answer);
        if (value !== undefined) settle(ok(value));
      },
      onError: (kind) => settle(mappingFail(kind === "refused" ? "router-refused" : "socket-failed")),
    },
    signal,
  );
  if (!opened.ok) return opened;
  const aborted = () => settle(mappingFail("aborted"));
  signal.addEventListener("abort", aborted);
  const cancelDeadline = clock.after(timeoutMs, () => settle(mappingFail("router-silent")));
  const cancelRepeats = sendRepeatedly(opened.value, message, clock, timeoutMs);
  try {
    return await settled;
  } finally {
    cancelRepeats();
    cancelDeadline();
    signal.removeEventListener("abort", aborted);
    opened.value.close();
  }
}

function sendRepeatedly(socket: DatagramSocket, message: Uint8Array, clock: Clock, timeoutMs: number): CancelTimer {
  let cancel: CancelTimer = () => {};
  let waitMs = FIRST_REPEAT_MS;
  let sentAtMs = 0;
  const send = () => {
    socket.send(message);
    sentAtMs += waitMs;
    if (sentAtMs >= timeoutMs) return;
    cancel = clock.after(waitMs, send);
    waitMs *= 2;
  };
  send();
  return () => cancel();
}
