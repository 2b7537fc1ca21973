/**
 * Texts by typed keys (i18next). A key that is not in the English catalogue does not compile, nor does a text with
 * values that are not handed in.
 */
import { createInstance, type TFunction } from "i18next";
import { en } from "./catalogue/en/index.ts";
import { ru } from "./catalogue/ru/index.ts";
import type { Language } from "./language.ts";

declare module "i18next" {
  interface CustomTypeOptions {
    resources: { translation: typeof en };
  }
}

/** `t("headline.attempt", { attempt: 2 })`; `count` chooses the plural. */
export type Translate = TFunction;

const made = new Map<Language, Translate>();

/** The texts of a language, at once and without looking at the environment. The same function for the same language. */
export function createTranslator(language: Language): Translate {
  const known = made.get(language);
  if (known !== undefined) return known;
  const instance = createInstance();
  void instance.init({
    lng: language,
    fallbackLng: "en",
    resources: { en: { translation: en }, ru: { translation: ru } },
    initAsync: false,
    // React escapes what it shows, and the tray shows text as it is.
    interpolation: { escapeValue: false },
  });
  made.set(language, instance.t);
  return instance.t;
}
