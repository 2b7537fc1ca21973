/** One Chromium for all windows: their requests go through the session, as Electron's do. */
import type { BrowserContext, Browser as Chromium, Frame, Page, Request, Route } from "playwright";
import { launchBrowser } from "../browser.ts";
import type { ShellSession } from "./session.ts";

export interface PageGuard {
  /** Asked before the page, or a frame in it, goes somewhere of its own accord. */
  mayNavigate(url: string, isMainFrame: boolean): boolean;
  /** Asked when it has opened another page. */
  mayOpen(url: string): boolean;
}

export class Browser {
  readonly #session: ShellSession;
  readonly #guards = new Map<Page, PageGuard>();
  #context: Promise<{ chromium: Chromium; context: BrowserContext }> | undefined;

  constructor(session: ShellSession) {
    this.#session = session;
  }

  get session(): ShellSession {
    return this.#session;
  }

  async newPage(guard: PageGuard): Promise<Page> {
    this.#context ??= this.#launch();
    const { context } = await this.#context;
    const page = await context.newPage();
    this.#guards.set(page, guard);
    page.on("close", () => this.#guards.delete(page));
    // Electron asks before it opens a page; here it is open, empty, and closed.
    page.on("popup", (popup) => void popup.close());
    return page;
  }

  async close(): Promise<void> {
    const launched = await this.#context?.catch(() => undefined);
    await launched?.chromium.close();
  }

  async #launch(): Promise<{ chromium: Chromium; context: BrowserContext }> {
    const launched = await launchBrowser({
      // The app decides what signals do.
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
      // The session's bus of the shell answers the app's one question, not Chromium's many.
      env: { ...process.env, DBUS_SESSION_BUS_ADDRESS: "disabled:" },
    });
    const context = await launched.newContext({ viewport: { width: 1024, height: 700 } });
    context.setDefaultTimeout(20_000);
    await context.route("**/*", (route) => this.#answer(route));
    return { chromium: launched, context };
  }

  async #answer(route: Route): Promise<void> {
    const request = route.request();
    const url = this.#session.toElectron(request.url());
    try {
      if (request.isNavigationRequest() && !this.#mayNavigate(request, url)) {
        return await route.abort("aborted");
      }
      if (!(await this.#session.allows(url))) return await route.abort("blockedbyclient");
      const response = await this.#session.answer(url, request.method());
      if (response === undefined) return await route.continue();
      await route.fulfill({
        status: response.status,
        headers: Object.fromEntries(response.headers),
        body: Buffer.from(await response.arrayBuffer()),
      });
    } catch (error) {
      // The page went away while it was answered.
      process.stderr.write(`request for ${url}: ${error instanceof Error ? error.message : error}\n`);
    }
  }

  /** A page that is being opened has no frame yet, and the driver does not say who opens it: there is one window. */
  #mayNavigate(request: Request, url: string): boolean {
    const frame = frameOf(request);
    const guard = frame === undefined ? undefined : this.#guards.get(frame.page());
    if (guard !== undefined) return guard.mayNavigate(url, frame?.parentFrame() === null);
    return [...this.#guards.values()].every((opener) => opener.mayOpen(url));
  }
}

function frameOf(request: Request): Frame | undefined {
  try {
    return request.frame();
  } catch {
    return undefined;
  }
}
