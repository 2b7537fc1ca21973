/**
 * Tells of changes of links, addresses, routes, routing rules, forwarding and of our firewall rules. A userspace WireGuard that
 * ends takes its link with it, so that is among them. The kernel announces no change of accept_ra, which only matters for a
 * route that expires half an hour later: whoever compares everything from time to time sees it.
 *
 * What the helper changes itself is told of, too: once, since the comparison that follows finds nothing to do.
 */
import type { Clock } from "../../src-shared/clock.ts";
import type { NetworkChange } from "../../src-shared/helper/protocol.ts";
import { EventGate } from "./event-gate.ts";
import { MonitorProgram } from "./monitor-program.ts";
import { RuleWatch } from "./rule-watch.ts";
import type { Run } from "./run.ts";
import { kindsInIpMonitor } from "./watch-text.ts";

type Kind = NetworkChange["kinds"][number];

const IP_MONITOR = ["ip", "monitor", "label", "link", "address", "route", "rule", "netconf"] as const;

/** All that `ip monitor` could have told while it did not run. */
const IP_KINDS: readonly Kind[] = ["link", "address", "route", "rule", "forwarding"];

export interface NetworkWatchOptions {
  clock: Clock;
  run: Run;
  /** Whether our firewall rules are what they should be; asked only where the kernel does not announce changes of them. */
  rulesAsPlanned: () => Promise<boolean>;
}

export class NetworkWatch {
  readonly #gate: EventGate<Kind>;
  readonly #ip: MonitorProgram;
  readonly #rules: RuleWatch;

  constructor({ clock, run, rulesAsPlanned }: NetworkWatchOptions, listener: (kinds: Kind[]) => void) {
    this.#gate = new EventGate(clock, listener);
    this.#ip = new MonitorProgram({
      clock,
      command: IP_MONITOR,
      onLines: (lines) => this.#add(kindsInIpMonitor(lines)),
      onRestarted: () => this.#add(IP_KINDS),
    });
    this.#rules = new RuleWatch({
      clock,
      run,
      isAsPlanned: rulesAsPlanned,
      onChange: () => this.#add(["firewall"]),
    });
  }

  /** Ends every program and timer. Idempotent. */
  stop(): void {
    this.#ip.stop();
    this.#rules.stop();
    this.#gate.stop();
  }

  #add(kinds: Iterable<Kind>): void {
    for (const kind of kinds) this.#gate.add(kind);
  }
}
