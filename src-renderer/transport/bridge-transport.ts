/** The contract over the window's preload bridge. The node lives in the same process tree: it is there or the window is not. */
import type { HiggsBridge } from "../../src-shared/ipc/bridge.ts";
import type { CallInput, CallName, CallOutput, EventName } from "../../src-shared/ipc/contract.ts";
import type { Result } from "../../src-shared/result.ts";
import type { Transport, TransportListener } from "./transport.ts";

export class BridgeTransport implements Transport {
  #bridge: HiggsBridge;
  #disposed = false;

  constructor(bridge: HiggsBridge) {
    this.#bridge = bridge;
  }

  start(listener: TransportListener): void {
    listener.onConnection("connecting");
    void this.#subscribe(listener);
  }

  /** The preload script has parsed the output by the contract. */
  call<N extends CallName>(name: N, input: CallInput<N>): Promise<Result<CallOutput<N>>> {
    return this.#bridge.call(name, input) as Promise<Result<CallOutput<N>>>;
  }

  dispose(): void {
    this.#disposed = true;
  }

  async #subscribe(listener: TransportListener): Promise<void> {
    const subscribed = await this.#bridge.subscribe((name, payload) => {
      if (!this.#disposed) listener.onEvent(name as EventName, payload);
    });
    if (!this.#disposed) listener.onConnection(subscribed.ok ? "open" : "lost");
  }
}
