/**
 * Texts by typed keys (i18next), from a catalogue that is handed in: a page loads the one of its language alone. A key that is not in the
 * English catalogue does not compile, nor does a text with values that are not handed in.
 */
import { createInstance, type TFunction } from "i18next";
import type { en } from "./catalogue/en/index.ts";
import type { ru } from "./catalogue/ru/index.ts";
import type { Language } from "./language.ts";

declare module "i18next" {
  interface CustomTypeOptions {
    resources: { translation: typeof en };
  }
}

/** `t("headline.attempt", { attempt: 2 })`; `count` chooses the plural. */
export type Translate = TFunction;

/** The texts of each language; both have the same keys, or do not compile. */
export interface Catalogues {
  readonly en: typeof en;
  readonly ru: typeof ru;
}

/** The texts of a language, at once and without looking at the environment. */
export function translatorOf<L extends Language>(language: L, catalogue: Catalogues[L]): Translate {
  const instance = createInstance();
  void instance.init({
    lng: language,
    fallbackLng: false,
    resources: { [language]: { translation: catalogue } },
    initAsync: false,
    // React escapes what it shows, and the tray shows text as it is.
    interpolation: { escapeValue: false },
  });
  return instance.t;
}
