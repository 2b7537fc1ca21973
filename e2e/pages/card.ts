/** The sections of a screen by their headings. */
import type { Locator, Page } from "playwright";

export function cardOf(page: Page, title: string): Locator {
  return page.getByRole("region", { name: title, exact: true });
}
