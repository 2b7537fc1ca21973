/** Waiting for what a page says, with what it says instead in the message. */
import type { Locator } from "playwright";
import { expect } from "vitest";

/** On screen within a moment; a machine busy with other tests takes longer. */
const SHOWN_WITHIN_MS = 15_000;

/** For `expect.poll`. */
export const SOON = { timeout: SHOWN_WITHIN_MS, interval: 30 } as const;

/** That the one element of this kind says `text`, whatever else it says: in any case, spaces of any width. */
export async function expectText(locator: Locator, text: string): Promise<void> {
  const look = async () => plain((await locator.allInnerTexts()).join(" | "));
  await expect.poll(look, SOON).toContain(plain(text));
}

/** That there is nothing of this kind. */
export async function expectNone(locator: Locator): Promise<void> {
  await expect.poll(() => locator.count(), SOON).toBe(0);
}

function plain(text: string): string {
  return text.replace(/\s+/g, " ").toLowerCase();
}
