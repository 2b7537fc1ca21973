/** The language of tray, menus, questions and notifications, and its texts. */
import type { Settings } from "../../src-shared/model/settings.ts";
import type { HiggsError } from "../../src-shared/result.ts";
import { explain } from "../../src-shared/text/headline.ts";
import { type Language, pickLanguage } from "../../src-shared/text/language.ts";
import { localiseError } from "../../src-shared/text/messages/localise.ts";
import { createTranslator, type Translate } from "../../src-shared/text/translate.ts";

export interface Words {
  readonly language: Language;
  readonly t: Translate;
  /** What failed and what to do. */
  readonly explain: (error: HiggsError) => string;
}

/** @param preferred the system's languages, the most wanted first (BCP 47) */
export function wordsFor(setting: Settings["language"], preferred: readonly string[]): Words {
  const language = pickLanguage(setting, preferred);
  return {
    language,
    t: createTranslator(language),
    explain: (error) => explain(localiseError(error, language)),
  };
}
