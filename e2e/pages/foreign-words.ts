/** What is left untranslated on a page in Russian: keys of the catalogue, gaps that were not filled, English words. */
import type { Page } from "playwright";
import { en } from "../../src-shared/text/catalogue/en/index.ts";
import { ru } from "../../src-shared/text/catalogue/ru/index.ts";

type Tree = { readonly [key: string]: string | Tree };

function textsOf(tree: Tree): string[] {
  return Object.values(tree).flatMap((value) => (typeof value === "string" ? [value] : textsOf(value)));
}

const WORD = /[A-Za-z]{3,}/g;

function wordsOf(texts: readonly string[]): Set<string> {
  return new Set(
    texts.flatMap((text) => text.replace(/\{\{\w+\}\}/g, "").match(WORD) ?? []).map((word) => word.toLowerCase()),
  );
}

const GROUPS = Object.keys(en).join("|");
const KEY = new RegExp(`\\b(?:${GROUPS})\\.[a-z][A-Za-z0-9.-]*[a-z]\\b`);

/** Names and units that Russian writes in Latin letters: the Russian catalogue itself has them. */
const russianLatin = wordsOf(textsOf(ru as Tree));

/**
 * What is shown, read out and offered as a hint, less what is no text of ours: addresses, commands, the lists' own
 * names, what was typed. `names` are words of the test's data, such as clients' names.
 */
export async function foreignWords(page: Page, names: readonly string[] = []): Promise<string[]> {
  const texts = await page.evaluate(() => {
    const found: string[] = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const element = node.parentElement;
      if (element === null || element.closest("code, pre, textarea, script, noscript, style") !== null) continue;
      found.push(node.textContent ?? "");
    }
    for (const element of document.body.querySelectorAll("*")) {
      for (const name of ["aria-label", "aria-valuetext", "title", "placeholder", "alt"]) {
        const value = element.getAttribute(name);
        if (value !== null) found.push(value);
      }
    }
    found.push(document.title);
    return found;
  });
  const known = new Set([...russianLatin, ...wordsOf(names)]);
  const faults = new Set<string>();
  for (const text of texts) {
    if (KEY.test(text) && !/[а-яё]/i.test(text)) faults.add(`a key: ${text}`);
    if (text.includes("{{")) faults.add(`a gap: ${text}`);
    // Addresses, hosts, files and times of the data are the same in every language.
    const words = text.replace(/\S*[\w)\]][.:/@]\S+/g, " ").match(WORD) ?? [];
    for (const word of words) if (!known.has(word.toLowerCase())) faults.add(`${word}: ${text.trim().slice(0, 100)}`);
  }
  return [...faults];
}
