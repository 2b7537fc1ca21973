/** Questions for a probe over one connection to a relay, each with its answer or its end. */
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";
import type { ProbeRequest, ProbeResult } from "../../src-shared/relay/control.ts";
import { fail, ok, type Result } from "../../src-shared/result.ts";

/** A relay tries for 3 s; the rest is for the slowest of connections. */
export const PROBE_ANSWER_WITHIN_MS = 10_000;

export type ProbeQuestion = Pick<ProbeRequest, "publicKey" | "port">;

interface Waiting {
  readonly resolve: (result: Result<ProbeResult>) => void;
  readonly cancel: CancelTimer;
}

export class ProbeExchange {
  readonly #clock: Clock;
  readonly #send: (request: ProbeRequest) => void;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 0;
  #closed = false;

  constructor(clock: Clock, send: (request: ProbeRequest) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /** Errors: `probe-timeout`, `relay-not-connected`. */
  ask(question: ProbeQuestion): Promise<Result<ProbeResult>> {
    if (this.#closed) return Promise.resolve(notConnected());
    const id = this.#nextId++;
    return new Promise((resolve) => {
      const cancel = this.#clock.after(PROBE_ANSWER_WITHIN_MS, () => {
        this.#waiting.delete(id);
        resolve(fail("probe-timeout", "The relay did not say in time whether this computer can be reached."));
      });
      this.#waiting.set(id, { resolve, cancel });
      this.#send({ type: "probe", id, ...question });
    });
  }

  /** Takes an answer; one that was not asked for, or came too late, is nothing. */
  answer(result: ProbeResult): void {
    const waiting = this.#waiting.get(result.id);
    this.#waiting.delete(result.id);
    waiting?.cancel();
    waiting?.resolve(ok(result));
  }

  /** Ends every question. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const { resolve, cancel } of this.#waiting.values()) {
      cancel();
      resolve(notConnected());
    }
    this.#waiting.clear();
  }
}

function notConnected() {
  return fail("relay-not-connected", "The connection to the relay was lost.");
}
