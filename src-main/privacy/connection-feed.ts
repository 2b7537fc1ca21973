/** Asks the helper for guests' connections, while and only while the owner wants them logged and the node shares. */
import type { ConnectionsEvent } from "../../src-shared/helper/connections.ts";
import type { HelperParams } from "../../src-shared/helper/protocol.ts";
import type { Result } from "../../src-shared/result.ts";

/** The connection to the helper; another object after each reconnection. */
export interface FeedConnection {
  call(verb: "subscribe", params: HelperParams<"subscribe">): Promise<Result<unknown>>;
}

export interface ConnectionFeedOptions {
  connected: () => FeedConnection | undefined;
  onConnections: (listener: (event: ConnectionsEvent) => void) => () => void;
  /** Whether connections are wanted now. */
  wanted: () => boolean;
  accept: (event: ConnectionsEvent) => void;
  /** Nothing is known of connections any more. */
  lost: () => void;
  /** Told of what should not happen; the next update tries again. */
  onUnexpected: (thrown: unknown) => void;
}

export class ConnectionFeed {
  readonly #options: ConnectionFeedOptions;
  readonly #unsubscribe: () => void;
  /** The connection over which connections were asked for. */
  #over: FeedConnection | undefined;
  #jobs: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: ConnectionFeedOptions) {
    this.#options = options;
    this.#unsubscribe = options.onConnections((event) => {
      // What was under way when the owner said no is not looked at.
      if (options.wanted()) options.accept(event);
    });
  }

  /** Compares what is asked for with what is wanted; to be called when either may have changed. */
  update(): void {
    this.#jobs = this.#jobs.then(() => this.#update()).catch(this.#options.onUnexpected);
  }

  /** Resolves when the helper knows what was wanted when this was called. */
  settle(): Promise<void> {
    return this.#jobs;
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true;
    this.#unsubscribe();
  }

  async #update(): Promise<void> {
    if (this.#closed) return;
    const { connected, wanted, lost } = this.#options;
    const connection = connected();
    const target = wanted() ? connection : undefined;
    if (target === this.#over) return;
    const before = this.#over;
    this.#over = undefined;
    if (before !== undefined) lost();
    if (target !== undefined) {
      const answer = await target.call("subscribe", { topics: ["network-change", "connections"] });
      if (answer.ok) this.#over = target;
    } else if (before !== undefined && before === connection) {
      await before.call("subscribe", { topics: ["network-change"] });
    }
  }
}
