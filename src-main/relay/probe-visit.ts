/** A short connection of the node's to its relay from another address of the machine's, to be probed at that one. */
import type { ProbeResult } from "../../src-shared/relay/control.ts";
import { fail, type Result } from "../../src-shared/result.ts";
import type { ProbeQuestion } from "../reachability/probe-exchange.ts";
import { type RelayOptions, WebSocketRelay } from "./websocket-relay.ts";

export interface ProbeVisit {
  /** Never rejects. */
  readonly result: Promise<Result<ProbeResult>>;
  /** Ends it; the result is then a failure. Idempotent. */
  close(): void;
}

/**
 * @param probeKey the peer that is in the kernel: a relay that would come with another is not asked
 * @returns errors: those of a connection to the relay, `probe-timeout`, `relay-cannot-probe`
 */
export function visitForProbe(
  options: Omit<RelayOptions, "purpose" | "resume">,
  probeKey: string | null,
  question: ProbeQuestion,
): ProbeVisit {
  const { promise, resolve } = Promise.withResolvers<Result<ProbeResult>>();
  const nothing = () => {};
  const relay = new WebSocketRelay(
    { ...options, resume: undefined, purpose: "probe" },
    {
      onObserved: (observed) => {
        const asked =
          observed.probeKey === probeKey
            ? relay.probe(question)
            : Promise.resolve(fail("relay-cannot-probe", "Another relay answers at the relay's other address."));
        void asked.then((result) => {
          resolve(result);
          relay.close();
        });
      },
      onClosed: (error) => resolve({ ok: false, error }),
      onRegistered: nothing,
      onSessionOpen: nothing,
      onSessionSeal: nothing,
      onSessionClose: nothing,
      onDatagram: nothing,
      onDrain: nothing,
    },
  );
  return { result: promise, close: () => relay.close() };
}
