/**
 * What the node says, in the owner's language. The node speaks English, with values inside its sentences, so that logs, reports and
 * scripts read the same everywhere; each sentence is found again here by its template, and its values are carried over. What is not
 * found is said in general words by its code, and what has none either stays English.
 */
import type { CheckResult } from "../../model/diagnosis.ts";
import type { HiggsError } from "../../result.ts";
import { compile, fill, MAX_TEXT_CHARACTERS, type Pair, type Template } from "./template.ts";

/** Sentences in a row: an explanation, a reason and some advice. */
const MAX_SENTENCES = 8;

/** A value may be a sentence in turn, and that one too; deeper is nothing of ours. */
const MAX_DEPTH = 3;

/** Gaps whose value is a text of the node itself. */
const NESTED = /^text/;

interface Entry {
  readonly template: Template;
  readonly other: string;
}

export interface Localiser {
  /** The error in the language; its code stays. */
  readonly error: (error: HiggsError) => HiggsError;
  /** Title, detail and fix in the language. */
  readonly check: (check: CheckResult) => CheckResult;
  /** One or a few sentences of the node's in the language; what is not known stays as it is. */
  readonly text: (text: string) => string;
}

/** What a language is made of. */
export interface Vocabulary {
  readonly sentences: readonly Pair[];
  /** What is said of a failure by its code, where its own words are not known. */
  readonly general: Readonly<Record<string, string>>;
  /** A value inside a sentence, such as `1.5 GiB`, as the language writes it; `gap` is its name. */
  readonly value: (gap: string, english: string) => string;
  /** The system's own codes, such as `ENETUNREACH`, in words; errno(3). */
  readonly codes: Readonly<Record<string, string>>;
}

/** One of the system's codes by its shape; what is not known stays. */
const SYSTEM_CODE = /\bE[A-Z_]{3,}\b/g;

export function localiserOf({ sentences, general, value, codes }: Vocabulary): Localiser {
  const exact = new Map<string, string>();
  const entries: Entry[] = [];
  for (const [english, other] of sentences) {
    if (english.includes("{")) entries.push({ template: compile(english), other });
    else exact.set(english, other);
  }

  function inGeneral({ code, message }: HiggsError): string {
    const words = Object.hasOwn(general, code) ? general[code] : undefined;
    return words === undefined ? message : fill(words, new Map([["message", message]]));
  }

  /** Undefined where the text, or a sentence in it, is not known. */
  function found(text: string, depth = 0): string | undefined {
    if (text.length > MAX_TEXT_CHARACTERS || depth > MAX_DEPTH) return undefined;
    return whole(text, depth) ?? sentenceBySentence(text, depth);
  }

  function whole(text: string, depth: number): string | undefined {
    const known = exact.get(text) ?? exact.get(capitalised(text));
    if (known !== undefined) return text === capitalised(text) ? known : uncapitalised(known);
    for (const { template, other } of entries) {
      const values = template.match(text);
      if (values !== undefined) return fill(other, nested(values, depth));
    }
    return undefined;
  }

  function nested(values: ReadonlyMap<string, string>, depth: number): Map<string, string> {
    return new Map(
      [...values].map(([name, said]) => [
        name,
        NESTED.test(name) ? (found(said, depth + 1) ?? said) : value(name, said),
      ]),
    );
  }

  function sentenceBySentence(text: string, depth: number): string | undefined {
    const parts = text.split(/(?<=[.!?]) (?=[A-Z0-9])/, MAX_SENTENCES + 1);
    if (parts.length < 2 || parts.length > MAX_SENTENCES) return undefined;
    const said = parts.map((part) => whole(part, depth));
    return said.every((part) => part !== undefined) ? said.join(" ") : undefined;
  }

  const inWords = (text: string) =>
    text.replace(SYSTEM_CODE, (code) => (Object.hasOwn(codes, code) ? (codes[code] ?? code) : code));
  const text = (english: string) => inWords(found(english) ?? english);
  return {
    text,
    error(error) {
      const message = inWords(found(error.message) ?? inGeneral(error));
      return { code: error.code, message, ...(error.hint === undefined ? {} : { hint: text(error.hint) }) };
    },
    check: (check) => ({
      ...check,
      title: text(check.title),
      detail: text(check.detail),
      ...(check.fix === undefined ? {} : { fix: text(check.fix) }),
    }),
  };
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function uncapitalised(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
