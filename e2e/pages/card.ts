/** The sections of a screen by their headings. */
import type { Locator, Page } from "playwright";

export function cardOf(page: Page, title: string): Locator {
  return page.getByRole("region", { name: title, exact: true });
}

/** The value beside a name in a list of facts. */
export function factOf(place: Locator, label: string): Locator {
  return place.locator("dl > div", { has: place.page().locator("dt", { hasText: label }) }).locator("dd");
}
