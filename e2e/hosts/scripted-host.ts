/** The built panel in Chromium, served from a loopback port, with a node that the test plays. */
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, relative } from "node:path";
import type { Browser, Page } from "playwright";
import { Panel } from "../pages/panel.ts";
import { launchBrowser } from "./browser.ts";
import { listenForComplaints } from "./complaints.ts";
import { ScriptedNode, type ScriptedWorld } from "./scripted-node.ts";
import { aWorld } from "./scripted-states.ts";

const RENDERER = join(import.meta.dirname, "../../dist/renderer");
/** On screen within a second; a loaded machine gets more. */
const STEP_TIMEOUT_MS = 15_000;

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** As strict as the real panel's: what it forbids would be noticed here as well. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export interface Viewport {
  readonly width: number;
  readonly height: number;
}

export const DESKTOP: Viewport = { width: 1024, height: 700 };
export const PHONE: Viewport = { width: 360, height: 740 };

/** One open panel with its node. */
export interface Scripted {
  readonly node: ScriptedNode;
  readonly page: Page;
  readonly panel: Panel;
  /** What the browser complained of; a spec may leave none. */
  readonly complaints: readonly string[];
}

export class ScriptedHost {
  readonly page: Page;
  readonly #server: Server;
  readonly #browser: Browser;
  readonly #complaints: string[];
  #node = new ScriptedNode(aWorld());
  #loads = 0;

  private constructor(server: Server, browser: Browser, page: Page) {
    this.#server = server;
    this.#browser = browser;
    this.page = page;
    this.#complaints = listenForComplaints(page);
  }

  static async start(): Promise<ScriptedHost> {
    const server = await serve(RENDERER);
    const browser = await launchBrowser();
    const context = await browser.newContext({ locale: "en-GB", timezoneId: "Europe/Berlin" });
    const page = await context.newPage();
    page.setDefaultTimeout(STEP_TIMEOUT_MS);
    const host = new ScriptedHost(server, browser, page);
    await page.routeWebSocket(/\/api$/, (socket) => host.#node.accept(socket));
    return host;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** Loads the panel on a world, as its owner opens it. One page serves all: what it has compiled is not compiled again. */
  async open(world: ScriptedWorld = aWorld(), { viewport = DESKTOP, hash = "#/overview" } = {}): Promise<Scripted> {
    const { page } = this;
    const node = new ScriptedNode(world);
    this.#node = node;
    await page.setViewportSize(viewport);
    // Another address than before, so that the page is loaded and not only another part of it shown.
    await page.goto(`${this.url}?load=${this.#loads++}${hash}`);
    this.#complaints.length = 0;
    const { language } = world.settings;
    return { node, page, complaints: this.#complaints, panel: new Panel(page, language === "ru" ? "ru" : "en") };
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await this.#browser.close();
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

async function serve(folder: string): Promise<Server> {
  const files = new Map<string, Buffer>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    files.set(`/${relative(folder, file)}`, readFileSync(file));
  }
  const index = files.get("/index.html");
  if (index === undefined) throw new Error(`${folder} is not built: npm run build`);
  files.set("/", index);
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://panel.invalid").pathname;
    const body = files.get(path);
    const type = TYPES[path === "/" ? ".html" : extname(path)];
    response.setHeader("Content-Security-Policy", POLICY);
    if (path.startsWith("/assets/")) response.setHeader("Cache-Control", "max-age=3600, immutable");
    if (body === undefined || type === undefined) response.writeHead(404).end();
    else response.writeHead(200, { "Content-Type": type }).end(body);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return server;
}
