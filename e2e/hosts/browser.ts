/** Debian's Chromium, driven by Playwright, for the panel. Playwright's own browsers are downloads and not used. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium, type LaunchOptions, type Page } from "playwright";

export const ARTIFACTS = join(import.meta.dirname, "../artifacts");

/** Root needs --no-sandbox; the others keep the browser from looking for servers that a test machine does not reach. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export function launchBrowser(options: LaunchOptions = {}): Promise<Browser> {
  return chromium.launch({ executablePath: "/usr/bin/chromium", args: FLAGS, ...options });
}

/** Kept under `e2e/artifacts/`, to be looked at. */
export async function takeScreenshot(page: Page, name: string): Promise<void> {
  mkdirSync(ARTIFACTS, { recursive: true });
  await page.screenshot({ path: join(ARTIFACTS, `${name}.png`), fullPage: true });
}
