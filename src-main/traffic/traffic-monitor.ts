/** Everything that is told of traffic at present, from the peers' counters as the node reads them. */
import type { Clock } from "../../src-shared/clock.ts";
import type { CallHandlers } from "../../src-shared/ipc/contract.ts";
import type { TrafficPoint, TrafficTotals } from "../../src-shared/model/traffic.ts";
import type { ObservedWireguard } from "../../src-shared/network-observation.ts";
import type { CallContext } from "../ipc/node-api.ts";
import { PeerMeter } from "./peer-meter.ts";
import { TrafficHistory } from "./traffic-history.ts";

type TrafficCall = Extract<keyof CallHandlers<CallContext>, `traffic.${string}`>;

export interface TrafficMonitorOptions {
  readonly clock: Clock;
  /** Sums of the day and the month. */
  readonly totals: () => TrafficTotals;
  /** Told of each point of the five minutes' history. */
  readonly onPoint: (point: TrafficPoint) => void;
}

export class TrafficMonitor {
  readonly #options: TrafficMonitorOptions;
  readonly #history: TrafficHistory;
  /** Each guest's rate and way. */
  readonly meter: PeerMeter;

  constructor(options: TrafficMonitorOptions) {
    this.#options = options;
    this.#history = new TrafficHistory(options.clock);
    this.meter = new PeerMeter(options.clock);
  }

  /** Takes in every reading of the interface, in their order. */
  record(seen: ObservedWireguard): void {
    const reading = this.meter.read(seen);
    if (seen.state !== "present") this.#history.gap();
    if (reading === undefined) return;
    const point = this.#history.add(reading);
    if (point !== undefined) this.#options.onPoint(point);
  }

  get handlers(): Pick<CallHandlers<CallContext>, TrafficCall> {
    return {
      "traffic.history": async ({ range }) => this.#history.of(range),
      "traffic.totals": async () => this.#options.totals(),
    };
  }
}
