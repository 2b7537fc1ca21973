import { EventEmitter } from "node:events";
import type { PowerMonitor } from "electron";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { KeepAwake } from "./keep-awake.ts";

function rig(onBattery = false) {
  const clock = new FakeClock();
  const power = Object.assign(new EventEmitter(), { onBattery, isOnBatteryPower: () => power.onBattery });
  const calls: string[] = [];
  const blocker = {
    start: (type: string) => {
      calls.push(`start ${type}`);
      return 7;
    },
    stop: (id: number) => {
      calls.push(`stop ${id}`);
      return true;
    },
  };
  const keepAwake = new KeepAwake({ blocker, clock, monitor: power as unknown as PowerMonitor });
  return { clock, power, calls, keepAwake };
}

describe("keeping the computer awake", () => {
  it("blocks sleep once while it is wanted, and leaves the screen alone", () => {
    const { calls, keepAwake } = rig();
    keepAwake.want(true);
    keepAwake.want(true);
    expect(calls).toEqual(["start prevent-app-suspension"]);
    keepAwake.want(false);
    keepAwake.want(false);
    expect(calls).toEqual(["start prevent-app-suspension", "stop 7"]);
  });

  it("does not on battery, and follows the plug", () => {
    const { power, calls, keepAwake } = rig(true);
    keepAwake.want(true);
    expect(calls).toEqual([]);
    power.onBattery = false;
    power.emit("on-ac");
    expect(calls).toHaveLength(1);
    power.onBattery = true;
    power.emit("on-battery");
    expect(calls).toEqual(["start prevent-app-suspension", "stop 7"]);
  });

  it("notices within a minute that the plug was pulled where the system does not say so", async () => {
    const { clock, power, calls, keepAwake } = rig();
    keepAwake.want(true);
    power.onBattery = true;
    await clock.advance(60_000);
    expect(calls).toEqual(["start prevent-app-suspension", "stop 7"]);
  });

  it("lets go of everything when it ends", () => {
    const { clock, power, calls, keepAwake } = rig();
    keepAwake.want(true);
    keepAwake.dispose();
    keepAwake.dispose();
    expect(calls).toEqual(["start prevent-app-suspension", "stop 7"]);
    expect(power.listenerCount("on-ac") + power.listenerCount("on-battery")).toBe(0);
    expect(clock.pending).toBe(0);
  });
});
