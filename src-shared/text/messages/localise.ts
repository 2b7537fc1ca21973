/** What the node says, in any language, for programs that load from their own disk. */
import type { CheckResult } from "../../model/diagnosis.ts";
import type { HiggsError } from "../../result.ts";
import type { Language } from "../language.ts";
import { inEnglish } from "./english.ts";
import type { Localiser } from "./localiser.ts";
import { inRussian } from "./russian.ts";

const LOCALISERS: Readonly<Record<Language, Localiser>> = { en: inEnglish, ru: inRussian };

/** The error in `language`; its code stays. */
export function localiseError(error: HiggsError, language: Language): HiggsError {
  return LOCALISERS[language].error(error);
}

/** Title, detail and fix in `language`. */
export function localiseCheck(check: CheckResult, language: Language): CheckResult {
  return LOCALISERS[language].check(check);
}

/** One or a few sentences of the node's in `language`; what is not known stays as it is. */
export function localiseText(text: string, language: Language): string {
  return LOCALISERS[language].text(text);
}
