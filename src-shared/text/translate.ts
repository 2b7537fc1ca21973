/** The texts of every language at hand, for programs that load from their own disk. */
import { en } from "./catalogue/en/index.ts";
import { ru } from "./catalogue/ru/index.ts";
import type { Language } from "./language.ts";
import { type Translate, translatorOf } from "./translator.ts";

export type { Translate } from "./translator.ts";

const made = new Map<Language, Translate>();

/** The texts of a language. The same function for the same language. */
export function createTranslator(language: Language): Translate {
  const known = made.get(language);
  if (known !== undefined) return known;
  const translate = language === "ru" ? translatorOf("ru", ru) : translatorOf("en", en);
  made.set(language, translate);
  return translate;
}
