/** Keeps the computer from falling asleep while the node asks for it and it is on mains power. */
import type { PowerMonitor, PowerSaveBlocker } from "electron";
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";

/** Linux tells nobody that the plug was pulled, so it is looked at; a minute more or less drains no battery. */
const LOOK_EVERY_MS = 60_000;

export interface KeepAwakeOptions {
  readonly blocker: Pick<PowerSaveBlocker, "start" | "stop">;
  readonly monitor: Pick<PowerMonitor, "isOnBatteryPower" | "on" | "off">;
  readonly clock: Clock;
}

export class KeepAwake {
  readonly #options: KeepAwakeOptions;
  #wanted = false;
  #blocking: number | undefined;
  #cancelLook: CancelTimer | undefined;
  readonly #onPower = () => this.#update();

  constructor(options: KeepAwakeOptions) {
    this.#options = options;
    options.monitor.on("on-ac", this.#onPower);
    options.monitor.on("on-battery", this.#onPower);
  }

  /** Idempotent. */
  want(wanted: boolean): void {
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    this.#update();
  }

  /** Idempotent. */
  dispose(): void {
    this.#options.monitor.off("on-ac", this.#onPower);
    this.#options.monitor.off("on-battery", this.#onPower);
    this.want(false);
  }

  #update(): void {
    const { blocker, monitor, clock } = this.#options;
    this.#cancelLook?.();
    this.#cancelLook = this.#wanted ? clock.after(LOOK_EVERY_MS, this.#onPower) : undefined;
    const shouldBlock = this.#wanted && !monitor.isOnBatteryPower();
    if (shouldBlock === (this.#blocking !== undefined)) return;
    if (this.#blocking === undefined) {
      // The screen may go dark; only sleep would cut guests off.
      this.#blocking = blocker.start("prevent-app-suspension");
    } else {
      blocker.stop(this.#blocking);
      this.#blocking = undefined;
    }
  }
}
