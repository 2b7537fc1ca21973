/**
 * The life of the one window: opened, hidden, asked about, brought back after a crash. Where there is a tray, closing
 * the window leaves the node at work; where there is none, nobody would find it again, so closing means to quit.
 */
import type { BrowserWindow } from "electron";
import type { CrashBudget } from "./crash-budget.ts";

export interface WindowKeeperOptions {
  readonly create: () => BrowserWindow;
  /** Whether the window can be brought back once it is hidden. */
  readonly hasTray: boolean;
  /** Asks the owner. */
  readonly mayQuit: (window: BrowserWindow) => Promise<boolean>;
  readonly quit: () => void;
  readonly isQuitting: () => boolean;
  readonly crashes: CrashBudget;
  /** The page crashed, and was loaded again or given up. */
  readonly onCrash: (reason: string, given: "reloaded" | "up") => void;
}

export class WindowKeeper {
  readonly #options: WindowKeeperOptions;
  #window: BrowserWindow | undefined;
  #asking = false;

  constructor(options: WindowKeeperOptions) {
    this.#options = options;
  }

  /** Brings the window to the front, made anew if need be. */
  open(): void {
    if (this.#options.isQuitting()) return;
    const window = this.#window;
    if (window === undefined || window.isDestroyed()) {
      this.#window = this.#create();
      return;
    }
    if (window.isMinimized()) window.restore();
    window.show();
    window.focus();
  }

  /** The window, if it is there, hidden or not. */
  get window(): BrowserWindow | undefined {
    return this.#window?.isDestroyed() === false ? this.#window : undefined;
  }

  #create(): BrowserWindow {
    const { create, isQuitting, hasTray } = this.#options;
    const window = create();
    window.on("close", (event) => {
      if (isQuitting()) return;
      event.preventDefault();
      if (hasTray) window.hide();
      else void this.#ask(window);
    });
    window.webContents.on("render-process-gone", (_event, { reason }) => this.#crashed(window, reason));
    return window;
  }

  async #ask(window: BrowserWindow): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    try {
      if (await this.#options.mayQuit(window)) this.#options.quit();
    } finally {
      this.#asking = false;
    }
  }

  #crashed(window: BrowserWindow, reason: string): void {
    const { crashes, onCrash, isQuitting } = this.#options;
    if (reason === "clean-exit" || isQuitting() || window.isDestroyed()) return;
    if (crashes.spend()) {
      onCrash(reason, "reloaded");
      window.webContents.reload();
      return;
    }
    // A page that cannot live would be loaded for ever; the tray or a second start makes a new one.
    window.destroy();
    onCrash(reason, "up");
  }
}
