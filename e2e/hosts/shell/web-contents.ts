/** What is in a window: a page of Chromium, its preload script, its messages to and from the app. */
import { readFileSync } from "node:fs";
import type { WebContents } from "electron";
import type { CDPSession, Page } from "playwright";
import type { Browser } from "./browser.ts";
import { ShellEmitter } from "./emitter.ts";
import { PAGE_WORLD, preloadWorld } from "./preload-world.ts";

const WORLD = "preload";
const TO_MAIN = "toMain";

export interface ShellFrame {
  readonly isMain: boolean;
  url: string;
  origin: string;
}

type OpenHandler = (details: { url: string }) => { action: "allow" | "deny" };
type Conforms = Pick<WebContents, "getURL" | "isDestroyed" | "loadURL" | "reload" | "send">;

export class ShellWebContents extends ShellEmitter implements Conforms {
  readonly mainFrame: ShellFrame = { isMain: true, url: "", origin: "null" };
  readonly #browser: Browser;
  readonly #preload: string;
  readonly #ipc: ShellEmitter;
  #page: Promise<Page> | undefined;
  #session: CDPSession | undefined;
  /** The preload script's world in the main frame; undefined between two documents. */
  #world: number | undefined;
  /** Sent one after the other, as they were given. */
  #sending: Promise<void> = Promise.resolve();
  #openHandler: OpenHandler = () => ({ action: "allow" });
  /** The navigation under way is the app's own: it is not asked about. */
  #ownNavigation = false;
  #destroyed = false;

  constructor(browser: Browser, ipc: ShellEmitter, preloadFile: string) {
    super();
    this.#browser = browser;
    this.#ipc = ipc;
    this.#preload = readFileSync(preloadFile, "utf8");
  }

  getURL(): string {
    return this.mainFrame.url;
  }

  isDestroyed(): boolean {
    return this.#destroyed;
  }

  setWindowOpenHandler(handler: OpenHandler): void {
    this.#openHandler = handler;
  }

  async loadURL(url: string): Promise<void> {
    const page = await this.page();
    this.#ownNavigation = true;
    await page.goto(this.#browser.session.toChromium(url));
    this.emit("did-finish-load", {});
  }

  /** A page whose renderer has crashed is of no more use to the driver: a new one takes its place, as in Electron. */
  reload(): void {
    const url = this.mainFrame.url;
    const old = this.#page;
    this.#page = undefined;
    void old?.then((page) => page.close()).catch(() => {});
    this.loadURL(url).catch((error: unknown) => process.stderr.write(`reload: ${String(error)}\n`));
  }

  send(channel: string, ...args: unknown[]): void {
    this.#sending = this.#sending.then(async () => {
      const world = this.#world;
      if (world === undefined || this.#destroyed) return;
      const expression = `shellFromMain(${JSON.stringify(channel)}, ${JSON.stringify(args)})`;
      try {
        await this.#session?.send("Runtime.evaluate", { expression, contextId: world });
      } catch {
        // The document it was meant for has gone.
      }
    });
  }

  /** The page as a test drives it. */
  page(): Promise<Page> {
    this.#page ??= this.#open();
    return this.#page;
  }

  /** A message as a page at another origin, or a frame in this one, would send it. */
  receiveAs({ origin, isMain }: { origin: string; isMain: boolean }, channel: string, args: readonly unknown[]): void {
    const frame = { isMain, origin, url: `${origin}/` };
    const real = { ...this.mainFrame };
    this.#receive(isMain ? Object.assign(this.mainFrame, frame) : frame, channel, args);
    Object.assign(this.mainFrame, real);
  }

  async destroy(): Promise<void> {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.emit("destroyed");
    await (await this.#page?.catch(() => undefined))?.close().catch(() => {});
  }

  async #open(): Promise<Page> {
    const page = await this.#browser.newPage({
      mayNavigate: (url, isMainFrame) => this.#mayNavigate(url, isMainFrame),
      mayOpen: (url) => this.#openHandler({ url }).action === "allow",
    });
    const session = await page.context().newCDPSession(page);
    this.#session = session;
    this.#world = undefined;
    page.on("crash", () => this.emit("render-process-gone", {}, { reason: "crashed", exitCode: 139 }));
    page.on("framenavigated", (frame) => {
      if (frame !== page.mainFrame()) return;
      this.mainFrame.url = this.#browser.session.toElectron(frame.url());
      this.mainFrame.origin = originOf(this.mainFrame.url);
    });
    page.on("console", (message) => {
      if (message.type() === "error") process.stderr.write(`page: ${message.text()}\n`);
    });
    page.on("pageerror", (error) => process.stderr.write(`page: ${error.message}\n`));
    await this.#makeWorlds(session);
    return page;
  }

  async #makeWorlds(session: CDPSession): Promise<void> {
    const { frameTree } = await session.send("Page.getFrameTree");
    const mainFrameId = frameTree.frame.id;
    session.on("Runtime.executionContextCreated", ({ context }) => {
      const aux = context.auxData as { frameId?: string } | undefined;
      if (context.name === WORLD && aux?.frameId === mainFrameId) this.#world = context.id;
    });
    session.on("Runtime.executionContextDestroyed", ({ executionContextId }) => {
      if (this.#world === executionContextId) this.#world = undefined;
    });
    session.on("Runtime.bindingCalled", ({ name, payload, executionContextId }) => {
      if (name !== TO_MAIN) return;
      const { channel, args } = JSON.parse(payload) as { channel: string; args: unknown[] };
      const isMain = executionContextId === this.#world;
      this.#receive(isMain ? this.mainFrame : { ...this.mainFrame, isMain: false }, channel, args);
    });
    session.on("Page.navigatedWithinDocument", ({ frameId, url }) => {
      const details = { url, isMainFrame: frameId === mainFrameId, isSameDocument: true };
      this.emit("did-start-navigation", details);
    });
    await session.send("Page.enable");
    await session.send("Runtime.enable");
    await session.send("Runtime.addBinding", { name: TO_MAIN, executionContextName: WORLD });
    await session.send("Page.addScriptToEvaluateOnNewDocument", { source: PAGE_WORLD });
    await session.send("Page.addScriptToEvaluateOnNewDocument", {
      source: preloadWorld(this.#preload),
      worldName: WORLD,
    });
  }

  #receive(frame: ShellFrame, channel: string, args: readonly unknown[]): void {
    this.#ipc.emit(channel, { sender: this, senderFrame: frame }, ...args);
  }

  #mayNavigate(url: string, isMainFrame: boolean): boolean {
    const isOwn = this.#ownNavigation && isMainFrame;
    if (isOwn) this.#ownNavigation = false;
    else if (!this.ask("will-frame-navigate", { url, isMainFrame })) return false;
    if (isMainFrame) this.emit("did-start-navigation", { url, isMainFrame, isSameDocument: false });
    return true;
  }
}

/** Also of a scheme that URL knows nothing of. */
export function originOf(url: string): string {
  return /^[a-z]+:\/\/[^/]+/.exec(url)?.[0] ?? "null";
}
