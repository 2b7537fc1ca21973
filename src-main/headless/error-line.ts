/** An error as one line for a person at a terminal. */
import type { HiggsError } from "../../src-shared/result.ts";

/** `higgsnode: what failed. What to do`, whatever line breaks the parts had. */
export function errorLine({ message, hint }: HiggsError): string {
  const what = oneLine(message);
  const sentence = /[.!?]$/.test(what) ? what : `${what}.`;
  // A hint may end with a command to copy, which a full stop would spoil.
  return `higgsnode: ${hint === undefined ? sentence : `${sentence} ${oneLine(hint)}`}`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
