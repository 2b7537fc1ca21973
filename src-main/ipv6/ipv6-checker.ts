/** Tries the guests' way out over IPv6 whenever it may have changed, and tells how that went. */
import { isDeepStrictEqual } from "node:util";
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";
import type { Ipv6State, PhaseState } from "../../src-shared/model/node-state.ts";
import { exitOf } from "../../src-shared/model/node-state.ts";
import { parseAddress } from "../../src-shared/net/address.ts";
import type { Endpoint } from "../../src-shared/net/endpoint.ts";
import type { Logger } from "../logs/logger.ts";
import { egressTargetsOf } from "../routing/egress-targets.ts";
import { checkIpv6, type Ipv6Question } from "./check-ipv6.ts";

/** A provider's IPv6 that comes back is noticed within this. */
const AGAIN_AFTER_MS = 10 * 60_000;

export type Ipv6Check = NonNullable<Extract<Ipv6State, { state: "on" }>["check"]>;

export interface Ipv6CheckerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Addresses with port, as the settings have them. */
  readonly targets: () => readonly string[];
  readonly onChange: () => void;
  readonly check?: typeof checkIpv6;
}

export class Ipv6Checker {
  readonly #options: Ipv6CheckerOptions;
  #subject: unknown;
  #controller: AbortController | undefined;
  #cancelNext: CancelTimer = () => {};
  #found: Ipv6Check | undefined;
  #disposed = false;

  constructor(options: Ipv6CheckerOptions) {
    this.#options = options;
  }

  /** Call it with every change of the node's state; one that does not concern IPv6 does nothing. */
  update(state: PhaseState, tunnelAddresses: readonly string[]): void {
    if (this.#disposed) return;
    const exit = exitOf(state);
    const from = tunnelAddresses.find((text) => parseAddress(text)?.family === 6);
    if (exit?.ipv6.state !== "on" || from === undefined) {
      this.#stop();
      return;
    }
    const targets = egressTargetsOf(this.#options.targets(), 6);
    const subject = { from, targets, mode: exit.ipv6.mode, prefix: exit.ipv6.prefix, uplink: exit.uplink.ipv6 };
    if (isDeepStrictEqual(subject, this.#subject)) return;
    this.#stop();
    this.#subject = subject;
    void this.#look(from, targets);
  }

  /** The state with what was found. */
  complete(state: PhaseState): PhaseState {
    const exit = exitOf(state);
    if (exit === undefined || exit.ipv6.state !== "on" || this.#found === undefined) return state;
    const completed = { ...exit, ipv6: { ...exit.ipv6, check: this.#found } };
    switch (state.phase) {
      case "running":
      case "degraded":
      case "recovering":
        return { ...state, exit: completed };
      case "stopped":
      case "starting":
      case "stopping":
      case "failed":
        return state;
    }
  }

  /** Idempotent. */
  dispose(): void {
    this.#stop();
    this.#disposed = true;
  }

  #stop(): void {
    this.#cancelNext();
    this.#controller?.abort();
    this.#controller = undefined;
    this.#subject = undefined;
    this.#found = undefined;
  }

  async #look(from: string, targets: readonly Endpoint[]): Promise<void> {
    const { clock, logger, onChange, check = checkIpv6 } = this.#options;
    const controller = new AbortController();
    this.#controller = controller;
    const question: Ipv6Question = { from, targets, signal: controller.signal };
    const answer = await check(question, clock);
    if (controller.signal.aborted) return;
    const at = new Date(clock.nowMs()).toISOString();
    const outcome = answer.ok ? "passed" : "failed";
    if (this.#found?.outcome !== outcome) logger.info("IPv6 was tried", { outcome });
    this.#found = answer.ok ? { outcome: "passed", at } : { outcome: "failed", at, error: answer.error };
    this.#cancelNext = clock.after(AGAIN_AFTER_MS, () => void this.#look(from, targets));
    onChange();
  }
}
