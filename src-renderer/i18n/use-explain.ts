/** Failures and check results in the reader's language. */
import { useMemo } from "react";
import type { CheckResult } from "../../src-shared/model/diagnosis.ts";
import type { HiggsError } from "../../src-shared/result.ts";
import { asSentence } from "../../src-shared/text/format.ts";
import { explain } from "../../src-shared/text/headline.ts";
import type { Localiser } from "../../src-shared/text/messages/localiser.ts";
import { useI18n } from "./i18n.tsx";

export interface Explainer {
  /** What failed and what to do, as one or two sentences. */
  readonly explain: (error: HiggsError) => string;
  /** What failed as a sentence, and what to do about it, apart. */
  readonly parts: (error: HiggsError) => { readonly message: string; readonly hint: string | undefined };
  readonly check: (check: CheckResult) => CheckResult;
  /** A sentence of the node's that is no error, such as what a step of the self-test measured. */
  readonly text: (text: string) => string;
}

export function explainerOf({ error: localise, check, text }: Localiser): Explainer {
  return {
    explain: (error) => explain(localise(error)),
    parts: (error) => {
      const { message, hint } = localise(error);
      return { message: asSentence(message), hint };
    },
    check,
    text,
  };
}

export function useExplain(): Explainer {
  const { localise } = useI18n();
  return useMemo(() => explainerOf(localise), [localise]);
}
