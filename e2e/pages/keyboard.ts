/** Somebody who has no pointer. */
import type { Locator, Page } from "playwright";

/** More than any screen has stops on the way to one of them. */
const MAX_STOPS = 80;

/** Goes from stop to stop until `target` has the focus, and makes sure that one sees where it is. */
export async function tabTo(page: Page, target: Locator): Promise<void> {
  await target.waitFor();
  const passed: string[] = [];
  for (let stop = 0; stop < MAX_STOPS; stop++) {
    if (await target.evaluate((element) => element === document.activeElement)) {
      if (!(await isFocusSeen(target))) throw new Error(`nobody sees that the focus is on ${target}`);
      return;
    }
    await page.keyboard.press("Tab");
    passed.push(await page.evaluate(() => document.activeElement?.textContent?.trim().slice(0, 20) ?? ""));
  }
  throw new Error(`the keyboard does not reach ${target}; it passed ${passed.join(" | ")}`);
}

function isFocusSeen(target: Locator): Promise<boolean> {
  return target.evaluate((element) => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
    return (outlineStyle !== "none" && Number.parseFloat(outlineWidth) > 0) || boxShadow !== "none";
  });
}
