/**
 * What is wrong with how a page looks, as a person with a ruler would find it: text that is cut, things that stick out
 * of the page, a page that has to be scrolled sideways.
 */
import type { Page } from "playwright";

/** One line per fault; none where all is well. */
export function layoutFaults(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    /** Widths are rounded differently for boxes and for text. */
    const TOLERANCE_PX = 1.5;
    const faults: string[] = [];
    const width = document.documentElement.clientWidth;
    const measure = document.createElement("canvas").getContext("2d");

    function describe(element: Element): string {
      const text = (element.textContent ?? "").trim().replace(/\s+/g, " ").slice(0, 60);
      return `<${element.tagName.toLowerCase()} class="${element.getAttribute("class") ?? ""}"> ${text}`;
    }

    /** For screen readers alone, or not drawn at all. */
    function isUnseen(element: Element): boolean {
      if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return true;
      for (let at: Element | null = element; at !== null; at = at.parentElement) {
        const { clipPath, clip, position } = getComputedStyle(at);
        const box = at.getBoundingClientRect();
        if (position === "absolute" && (clipPath !== "none" || clip !== "auto" || (box.width <= 1 && box.height <= 1)))
          return true;
        // What waits outside of the page for the keyboard.
        if (position === "absolute" && box.bottom + window.scrollY < 0) return true;
      }
      return false;
    }

    function scrollsSideways(element: Element): boolean {
      for (let at: Element | null = element; at !== null; at = at.parentElement) {
        if (/auto|scroll/.test(getComputedStyle(at).overflowX) && at !== document.documentElement) return true;
      }
      return false;
    }

    function hasOwnText(element: Element): boolean {
      return [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim());
    }

    function widthOfText(element: Element, text: string): number {
      if (measure === null) return 0;
      measure.font = getComputedStyle(element).font;
      return measure.measureText(text).width;
    }

    function roomOf(element: HTMLElement): number {
      const { paddingLeft, paddingRight } = getComputedStyle(element);
      return element.clientWidth - Number.parseFloat(paddingLeft) - Number.parseFloat(paddingRight);
    }

    if (document.documentElement.scrollWidth > width + TOLERANCE_PX) {
      faults.push(`the page is ${document.documentElement.scrollWidth} px wide`);
    }
    for (const element of document.body.querySelectorAll<HTMLElement>("*")) {
      if (element.closest("svg") !== null && element.tagName !== "svg") continue;
      if (isUnseen(element)) continue;
      const box = element.getBoundingClientRect();
      if (box.width === 0 || box.height === 0) continue;
      if ((box.right > width + TOLERANCE_PX || box.left < -TOLERANCE_PX) && !scrollsSideways(element)) {
        faults.push(`sticks out of the page: ${describe(element)}`);
      }
      const style = getComputedStyle(element);
      const hides = (overflow: string) => overflow === "hidden" || overflow === "clip";
      if (hides(style.overflowX) && element.scrollWidth > element.clientWidth + TOLERANCE_PX) {
        faults.push(`cut at the side: ${describe(element)}`);
      }
      if (hides(style.overflowY) && element.scrollHeight > element.clientHeight + TOLERANCE_PX) {
        faults.push(`cut below: ${describe(element)}`);
      }
      if (hasOwnText(element) && style.display !== "inline" && !hides(style.overflowX)) {
        const spills = element.scrollWidth > element.clientWidth + TOLERANCE_PX && element.clientWidth > 0;
        if (spills && !scrollsSideways(element)) faults.push(`wider than its place: ${describe(element)}`);
      }
      if (element instanceof HTMLSelectElement) {
        const text = element.selectedOptions[0]?.text ?? "";
        if (widthOfText(element, text) > roomOf(element) + TOLERANCE_PX) faults.push(`cut in its list: ${text}`);
      }
      if (element instanceof HTMLInputElement && element.value === "" && element.placeholder !== "") {
        const text = element.placeholder;
        if (widthOfText(element, text) > roomOf(element) + TOLERANCE_PX) faults.push(`cut in its field: ${text}`);
      }
    }
    return [...new Set(faults)];
  });
}

/** Opens everything that is folded, so that it is looked at too. */
export async function unfold(page: Page): Promise<void> {
  await page.evaluate(() => {
    for (const details of document.querySelectorAll("details")) details.open = true;
  });
}
