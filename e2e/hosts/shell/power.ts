/** Power: whether the computer runs on its battery, sleep, and who keeps it awake. */
import type { PowerMonitor, PowerSaveBlocker } from "electron";
import { ShellEmitter } from "./emitter.ts";

export class ShellPowerMonitor extends ShellEmitter implements Pick<PowerMonitor, "isOnBatteryPower"> {
  onBattery = false;

  isOnBatteryPower(): boolean {
    return this.onBattery;
  }
}

export class ShellPowerSaveBlocker implements PowerSaveBlocker {
  readonly #kinds = new Map<number, string>();
  #nextId = 1;

  /** What is being kept from sleeping now. */
  get kinds(): string[] {
    return [...this.#kinds.values()];
  }

  start(type: "prevent-app-suspension" | "prevent-display-sleep"): number {
    const id = this.#nextId++;
    this.#kinds.set(id, type);
    return id;
  }

  stop(id: number): boolean {
    return this.#kinds.delete(id);
  }

  isStarted(id: number): boolean {
    return this.#kinds.has(id);
  }
}
