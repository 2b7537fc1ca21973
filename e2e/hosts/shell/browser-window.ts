/** Windows: shown or hidden is a flag here, what is in them is a page of Chromium. */
import type { BrowserWindow, BrowserWindowConstructorOptions } from "electron";
import type { ShellApp } from "./app.ts";
import type { Browser } from "./browser.ts";
import { ShellEmitter } from "./emitter.ts";
import { ShellWebContents } from "./web-contents.ts";

interface Surroundings {
  readonly app: ShellApp;
  readonly browser: Browser;
  readonly ipcMain: ShellEmitter;
}

type Conforms = Pick<
  BrowserWindow,
  "close" | "destroy" | "focus" | "hide" | "isDestroyed" | "isMinimized" | "isVisible" | "loadURL" | "restore" | "show"
>;

export class ShellBrowserWindow extends ShellEmitter implements Conforms {
  static #surroundings: Surroundings | undefined;
  /** Those that are there, in the order they were made. */
  static all: ShellBrowserWindow[] = [];
  readonly options: BrowserWindowConstructorOptions;
  readonly webContents: ShellWebContents;
  #visible: boolean;
  #minimized = false;
  #destroyed = false;

  constructor(options: BrowserWindowConstructorOptions = {}) {
    super();
    const around = ShellBrowserWindow.#surroundings;
    if (around === undefined) throw new Error("no window before the app is there");
    const preload = options.webPreferences?.preload;
    if (preload === undefined) throw new Error("a window without a preload script");
    this.options = options;
    this.#visible = options.show ?? true;
    this.webContents = new ShellWebContents(around.browser, around.ipcMain, preload);
    this.webContents.once("did-finish-load", () => this.emit("ready-to-show", {}));
    ShellBrowserWindow.all.push(this);
    around.app.emit("web-contents-created", {}, this.webContents);
  }

  static use(surroundings: Surroundings): void {
    ShellBrowserWindow.#surroundings = surroundings;
  }

  loadURL(url: string): Promise<void> {
    return this.webContents.loadURL(url);
  }

  show(): void {
    this.#visible = true;
  }

  hide(): void {
    this.#visible = false;
  }

  focus(): void {
    // Nobody else is there to be in front of.
  }

  isVisible(): boolean {
    return this.#visible;
  }

  isMinimized(): boolean {
    return this.#minimized;
  }

  minimize(): void {
    this.#minimized = true;
  }

  restore(): void {
    this.#minimized = false;
  }

  isDestroyed(): boolean {
    return this.#destroyed;
  }

  /** The cross of the window. */
  close(): void {
    if (this.ask("close")) this.destroy();
  }

  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    ShellBrowserWindow.all = ShellBrowserWindow.all.filter((other) => other !== this);
    void this.webContents.destroy();
    this.emit("closed");
    if (ShellBrowserWindow.all.length === 0) ShellBrowserWindow.#surroundings?.app.emit("window-all-closed");
  }
}
