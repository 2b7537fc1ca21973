/** How the interface reaches the node: the panel's WebSocket in a browser, the preload bridge in the window. */
import type { CallInput, CallName, CallOutput } from "../../src-shared/ipc/contract.ts";
import type { EventListener } from "../../src-shared/ipc/message-client.ts";
import type { Result } from "../../src-shared/result.ts";

/** `connecting` is the first attempt; after a connection was there, or could not be had, it is `lost`. */
export type ConnectionState = "connecting" | "open" | "lost";

export interface TransportListener {
  readonly onEvent: EventListener;
  readonly onConnection: (state: ConnectionState) => void;
}

export interface Transport {
  call<N extends CallName>(name: N, input: CallInput<N>): Promise<Result<CallOutput<N>>>;
  /** Connects, subscribes, and keeps doing so when the connection is lost. Called once. */
  start(listener: TransportListener): void;
  /** Idempotent. */
  dispose(): void;
}
