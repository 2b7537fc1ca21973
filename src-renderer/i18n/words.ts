/** What is said in each language, fetched when it is the owner's: nobody waits for the words of a language they do not read. */
import type { Language } from "../../src-shared/text/language.ts";
import type { Localiser } from "../../src-shared/text/messages/localiser.ts";
import { type Translate, translatorOf } from "../../src-shared/text/translator.ts";

export interface Words {
  readonly language: Language;
  readonly t: Translate;
  /** What the node says, which is English where it comes from. */
  readonly localise: Localiser;
}

const LOADERS: { readonly [L in Language]: () => Promise<Words> } = {
  async en() {
    const [{ en }, { inEnglish }] = await Promise.all([
      import("../../src-shared/text/catalogue/en/index.ts"),
      import("../../src-shared/text/messages/english.ts"),
    ]);
    return { language: "en", t: translatorOf("en", en), localise: inEnglish };
  },
  async ru() {
    const [{ ru }, { inRussian }] = await Promise.all([
      import("../../src-shared/text/catalogue/ru/index.ts"),
      import("../../src-shared/text/messages/russian.ts"),
    ]);
    return { language: "ru", t: translatorOf("ru", ru), localise: inRussian };
  },
};

const loaded = new Map<Language, Promise<Words>>();

/** The same words for the same language. A file that could not be fetched is asked for again the next time. */
export function loadWords(language: Language): Promise<Words> {
  const known = loaded.get(language);
  if (known !== undefined) return known;
  const words = LOADERS[language]();
  loaded.set(language, words);
  words.catch(() => loaded.delete(language));
  return words;
}

/** Has them at hand for `loadWords`, which also tells of a failure. */
export async function fetchWords(language: Language): Promise<void> {
  await loadWords(language).catch(() => {});
}
