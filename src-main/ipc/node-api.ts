/** What a host needs of a node: the contract's calls, its events, and an end. */
import type { CallHandlers, EventName } from "../../src-shared/ipc/contract.ts";

/** What a gate knows of a call beside its input. */
export interface CallContext {
  /** Aborted when the caller has gone. */
  readonly signal: AbortSignal;
}

export interface NodeEvent {
  readonly name: EventName;
  readonly payload: unknown;
}

export interface NodeApi {
  readonly handlers: CallHandlers<CallContext>;
  /** Calls `listener` on every event; the returned function unsubscribes. */
  onEvent(listener: (name: EventName, payload: unknown) => void): () => void;
  /** The present value of each revised state, as the event that would carry it. */
  current(): NodeEvent[];
  /** The machine has slept: everything is looked at again at once. */
  woke(): void;
  /** Drains and restores the network. Idempotent. */
  close(): Promise<void>;
}
