/** The contract over the panel's WebSocket, connected again whenever it is lost. */
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";
import type { CallInput, CallName, CallOutput } from "../../src-shared/ipc/contract.ts";
import { MessageClient } from "../../src-shared/ipc/message-client.ts";
import type { HiggsError, Result } from "../../src-shared/result.ts";
import type { Transport, TransportListener } from "./transport.ts";

/** The node is on this computer: a restart takes about a second, and asking costs next to nothing. */
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 5_000;

/** The part of a browser's WebSocket that is used here. */
export interface SocketLike {
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
  send(text: string): void;
  close(): void;
}

const DISCONNECTED: HiggsError = {
  code: "disconnected",
  message: "the connection to the node is lost",
  hint: "Wait until it is back, then try again.",
};

export class WebSocketTransport implements Transport {
  #connect: () => SocketLike;
  #clock: Clock;
  #listener: TransportListener | undefined;
  #socket: SocketLike | undefined;
  #client: MessageClient | undefined;
  #retryMs = FIRST_RETRY_MS;
  #cancelRetry: CancelTimer | undefined;
  #disposed = false;

  constructor(options: { connect: () => SocketLike; clock: Clock }) {
    this.#connect = options.connect;
    this.#clock = options.clock;
  }

  start(listener: TransportListener): void {
    this.#listener = listener;
    listener.onConnection("connecting");
    this.#open();
  }

  call<N extends CallName>(name: N, input: CallInput<N>): Promise<Result<CallOutput<N>>> {
    return this.#client?.call(name, input) ?? Promise.resolve({ ok: false, error: DISCONNECTED });
  }

  dispose(): void {
    this.#disposed = true;
    this.#cancelRetry?.();
    this.#socket?.close();
    this.#client?.close(DISCONNECTED);
    this.#client = undefined;
  }

  #open(): void {
    const socket = this.#connect();
    this.#socket = socket;
    const client = new MessageClient({ clock: this.#clock, send: (text) => socket.send(text) });
    socket.onopen = () => {
      this.#client = client;
      void this.#subscribe(client, socket);
    };
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") client.receive(data);
    };
    socket.onclose = () => {
      client.close(DISCONNECTED);
      this.#client = undefined;
      if (this.#disposed) return;
      this.#listener?.onConnection("lost");
      this.#cancelRetry = this.#clock.after(this.#retryMs, () => this.#open());
      this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS);
    };
  }

  async #subscribe(client: MessageClient, socket: SocketLike): Promise<void> {
    const subscribed = await client.subscribe((name, payload) => this.#listener?.onEvent(name, payload));
    if (this.#disposed) return;
    if (!subscribed.ok) {
      socket.close();
      return;
    }
    this.#retryMs = FIRST_RETRY_MS;
    this.#listener?.onConnection("open");
  }
}
