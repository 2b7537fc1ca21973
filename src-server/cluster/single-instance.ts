/** The cluster of one: ports come from the local store, and there is nobody to send to. */
import type { Clock } from "../../src-shared/clock.ts";
import type { Result } from "../../src-shared/result.ts";
import type { PortRange, Store } from "../store.ts";
import type { Cluster } from "./cluster.ts";

export class SingleInstance implements Cluster {
  readonly instance = "single";
  readonly healthy = true;
  readonly proofKey = undefined;
  #store: Store;
  #range: PortRange;
  #clock: Clock;
  #here = new Set<string>();

  constructor(store: Store, range: PortRange, clock: Clock) {
    this.#store = store;
    this.#range = range;
    this.#clock = clock;
  }

  async start(): Promise<void> {}

  async portFor(node: string): Promise<Result<number>> {
    return this.#store.claimPort(node, this.#range, (other) => this.#here.has(other), this.#clock.nowMs());
  }

  async nodeAt(port: number): Promise<string | undefined> {
    return this.#store.nodeAt(port);
  }

  async announce(node: string): Promise<void> {
    this.#here.add(node);
  }

  async withdraw(node: string): Promise<void> {
    this.#here.delete(node);
  }

  sendToNode(): void {}
  closeEdgeSession(): void {}
  sendToGuest(): void {}
  shareProofs(): void {}
  async close(): Promise<void> {}
}
