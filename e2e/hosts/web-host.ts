/** The headless node in the lab's home network, and its panel in a Chromium that opens the address it has printed. */
import type { Browser, BrowserContext, Page } from "playwright";
import { Higgsnode, INTERNET, Lab, LoopbackBridge } from "../lab/index.ts";
import { Panel } from "../pages/panel.ts";
import { launchBrowser } from "./browser.ts";
import { listenForComplaints } from "./complaints.ts";

/** Each step is on screen within a second or two; a loaded machine gets more. */
const STEP_TIMEOUT_MS = 20_000;

export class WebHost {
  readonly lab: Lab;
  readonly browser: Browser;
  readonly bridge: LoopbackBridge;
  readonly context: BrowserContext;
  readonly page: Page;
  readonly panel: Panel;
  /** What the browser complained of. */
  readonly complaints: readonly string[];
  node: Higgsnode;
  #starts = 0;

  private constructor(lab: Lab, bridge: LoopbackBridge, browser: Browser, context: BrowserContext, page: Page) {
    this.lab = lab;
    this.bridge = bridge;
    this.browser = browser;
    this.context = context;
    this.page = page;
    this.panel = new Panel(page);
    this.complaints = listenForComplaints(page);
    this.node = new Higgsnode(lab.host("node"));
  }

  /** A home whose router forwards ports when it is asked, and a browser; no node yet. */
  static async create(): Promise<WebHost> {
    const lab = await Lab.create();
    try {
      const bridge = await LoopbackBridge.to(lab.host("node"));
      const browser = await launchBrowser();
      const context = await browser.newContext({ viewport: { width: 1024, height: 700 }, locale: "en-GB" });
      const page = await context.newPage();
      page.setDefaultTimeout(STEP_TIMEOUT_MS);
      return new WebHost(lab, bridge, browser, context, page);
    } catch (error) {
      await lab.dispose();
      throw error;
    }
  }

  /** Starts a node that knows nothing yet, not sharing. Returns the address it prints for the panel. */
  async startNew(): Promise<string> {
    const host = this.lab.host("node");
    this.node = new Higgsnode(host, `${host.folder}/data-${this.#starts++}`);
    const { panel } = await this.node.start({ panelPort: this.bridge.port });
    if (typeof panel !== "string") throw new Error("the node printed no address");
    // The lab's internet has none of the places that a node usually tries.
    const targets = JSON.stringify([`${INTERNET.web.ipv4}:80`, `[${INTERNET.web.ipv6}]:80`]);
    await this.node.mustRun(["settings", "set", `egressTargets=${targets}`]);
    return panel;
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await this.browser.close();
    await this.bridge.close();
    await this.lab.dispose();
  }
}
