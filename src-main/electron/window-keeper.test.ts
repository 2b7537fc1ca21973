import { EventEmitter } from "node:events";
import type { BrowserWindow } from "electron";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { CrashBudget } from "./crash-budget.ts";
import { WindowKeeper } from "./window-keeper.ts";

class FakeWindow extends EventEmitter {
  visible = true;
  destroyed = false;
  reloads = 0;
  readonly webContents = Object.assign(new EventEmitter(), { reload: () => this.reloads++ });
  isDestroyed = () => this.destroyed;
  isMinimized = () => false;
  show = () => {
    this.visible = true;
  };
  hide = () => {
    this.visible = false;
  };
  focus = () => {};
  destroy = () => {
    this.destroyed = true;
  };
  /** Whether the window may close. */
  cross(): boolean {
    let prevented = false;
    this.emit("close", {
      preventDefault: () => {
        prevented = true;
      },
    });
    return !prevented;
  }
}

function rig({
  hasTray = true,
  answer = async () => true,
}: {
  hasTray?: boolean;
  answer?: () => Promise<boolean>;
} = {}) {
  const windows: FakeWindow[] = [];
  const told = { quits: 0, questions: 0, crashes: [] as string[], quitting: false };
  const keeper = new WindowKeeper({
    create: () => {
      const window = new FakeWindow();
      windows.push(window);
      return window as unknown as BrowserWindow;
    },
    hasTray,
    mayQuit: () => {
      told.questions++;
      return answer();
    },
    quit: () => {
      told.quits++;
    },
    isQuitting: () => told.quitting,
    crashes: new CrashBudget(new FakeClock(), 1, 60_000),
    onCrash: (reason, given) => told.crashes.push(`${reason}: ${given}`),
  });
  keeper.open();
  return { keeper, windows, told };
}

describe("the window", () => {
  it("is one, however often it is opened, and a new one once it is gone", () => {
    const { keeper, windows } = rig();
    keeper.open();
    expect(windows).toHaveLength(1);
    windows[0]?.destroy();
    expect(keeper.window).toBeUndefined();
    keeper.open();
    expect(windows).toHaveLength(2);
  });

  it("hides where there is a tray, and comes back", () => {
    const { keeper, windows, told } = rig();
    expect(windows[0]?.cross()).toBe(false);
    expect(windows[0]?.visible).toBe(false);
    keeper.open();
    expect(windows[0]?.visible).toBe(true);
    expect(told).toMatchObject({ questions: 0, quits: 0 });
  });

  it("asks once at a time where there is none, and quits when it may", async () => {
    const answers = Promise.withResolvers<boolean>();
    const { windows, told } = rig({ hasTray: false, answer: () => answers.promise });
    expect(windows[0]?.cross()).toBe(false);
    expect(windows[0]?.cross()).toBe(false);
    expect(told.questions).toBe(1);
    answers.resolve(true);
    await answers.promise;
    await Promise.resolve();
    expect(told.quits).toBe(1);
  });

  it("stays when the owner says so, and asks again the next time", async () => {
    const { windows, told } = rig({ hasTray: false, answer: async () => false });
    windows[0]?.cross();
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    windows[0]?.cross();
    expect(told).toMatchObject({ questions: 2, quits: 0 });
  });

  it("closes without a word once the app is quitting, and opens no more", () => {
    const { keeper, windows, told } = rig({ hasTray: false });
    told.quitting = true;
    expect(windows[0]?.cross()).toBe(true);
    windows[0]?.destroy();
    keeper.open();
    expect(windows).toHaveLength(1);
  });

  it("is loaded again after a crash, and given up when it crashes again and again", () => {
    const { windows, told } = rig();
    windows[0]?.webContents.emit("render-process-gone", {}, { reason: "clean-exit" });
    expect(windows[0]?.reloads).toBe(0);
    windows[0]?.webContents.emit("render-process-gone", {}, { reason: "oom" });
    expect(windows[0]?.reloads).toBe(1);
    windows[0]?.webContents.emit("render-process-gone", {}, { reason: "crashed" });
    expect(windows[0]?.destroyed).toBe(true);
    expect(told.crashes).toEqual(["oom: reloaded", "crashed: up"]);
  });
});
