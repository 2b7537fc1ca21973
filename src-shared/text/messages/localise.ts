/**
 * What the node says, in the owner's language. The node speaks English, with values inside its sentences, so that logs, reports and
 * scripts read the same everywhere; each sentence is found again here by its template, and its values are carried over. What is not
 * found is said in general words by its code, and what has none either stays English.
 */
import type { CheckResult } from "../../model/diagnosis.ts";
import type { HiggsError } from "../../result.ts";
import type { Language } from "../language.ts";
import { GENERIC } from "./generic.ts";
import { SENTENCES } from "./sentences/all.ts";
import { compile, fill, MAX_TEXT_CHARACTERS, type Template } from "./template.ts";

/** Sentences in a row: an explanation, a reason and some advice. */
const MAX_SENTENCES = 8;

/** A value may be a sentence in turn, and that one too; deeper is nothing of ours. */
const MAX_DEPTH = 3;

/** Gaps whose value is a text of the node itself. */
const NESTED = /^text/;

interface Entry {
  readonly template: Template;
  readonly russian: string;
}

const exact = new Map<string, string>();
const entries: Entry[] = [];
for (const [english, russian] of SENTENCES) {
  if (english.includes("{")) entries.push({ template: compile(english), russian });
  else exact.set(english, russian);
}

/** The error in `language`; its code stays. */
export function localiseError(error: HiggsError, language: Language): HiggsError {
  if (language === "en") return error;
  const message = found(error.message) ?? inGeneral(error);
  const hint = error.hint === undefined ? undefined : (found(error.hint) ?? error.hint);
  return { code: error.code, message, ...(hint === undefined ? {} : { hint }) };
}

/** Title, detail and fix in `language`. */
export function localiseCheck(check: CheckResult, language: Language): CheckResult {
  if (language === "en") return check;
  return {
    ...check,
    title: localiseText(check.title, language),
    detail: localiseText(check.detail, language),
    ...(check.fix === undefined ? {} : { fix: localiseText(check.fix, language) }),
  };
}

/** One or a few sentences of the node's in `language`; what is not known stays as it is. */
export function localiseText(text: string, language: Language): string {
  return language === "en" ? text : (found(text) ?? text);
}

function inGeneral({ code, message }: HiggsError): string {
  const general = Object.hasOwn(GENERIC, code) ? GENERIC[code] : undefined;
  return general === undefined ? message : fill(general, new Map([["message", message]]));
}

/** Undefined where the text, or a sentence in it, is not known. */
function found(text: string, depth = 0): string | undefined {
  if (text.length > MAX_TEXT_CHARACTERS || depth > MAX_DEPTH) return undefined;
  return whole(text, depth) ?? sentenceBySentence(text, depth);
}

function whole(text: string, depth: number): string | undefined {
  const known = exact.get(text) ?? exact.get(capitalised(text));
  if (known !== undefined) return text === capitalised(text) ? known : uncapitalised(known);
  for (const { template, russian } of entries) {
    const values = template.match(text);
    if (values !== undefined) return fill(russian, nested(values, depth));
  }
  return undefined;
}

function nested(values: ReadonlyMap<string, string>, depth: number): Map<string, string> {
  return new Map(
    [...values].map(([name, value]) => [name, NESTED.test(name) ? (found(value, depth + 1) ?? value) : value]),
  );
}

function sentenceBySentence(text: string, depth: number): string | undefined {
  const parts = text.split(/(?<=[.!?]) (?=[A-Z])/, MAX_SENTENCES + 1);
  if (parts.length < 2 || parts.length > MAX_SENTENCES) return undefined;
  const said = parts.map((part) => whole(part, depth));
  return said.every((part) => part !== undefined) ? said.join(" ") : undefined;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function uncapitalised(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
