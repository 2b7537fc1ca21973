/** A sentence with named gaps, found again in a text and said in another language with the same values. */

/** Longer texts are none of ours; nothing is searched in them. */
export const MAX_TEXT_CHARACTERS = 2_000;

/** English and Russian; gaps are written `{name}` and are the same in both. */
export type Pair = readonly [english: string, russian: string];

export interface Template {
  /** The values of the gaps by name; undefined where the text is not this sentence. */
  match(text: string): Map<string, string> | undefined;
}

/** Gaps that hold a number, so that no other sentence of the same shape is taken for this one. */
const NUMBERS: ReadonlySet<string> = new Set([
  "count",
  "total",
  "ms",
  "seconds",
  "port",
  "mtu",
  "needed",
  "year",
  "days",
  "pid",
  "rate",
]);

/** Gaps that hold one word: an address, the name of an interface or of a protocol. */
const WORDS: ReadonlySet<string> = new Set([
  ...["iface", "gateway", "prefix", "mode", "endpoint", "protocol", "url", "address", "family", "verb", "date"],
  ...["seen", "claimed", "wanted", "told", "leaf", "key", "platform", "release", "host"],
]);

const GAP = /\{([a-zA-Z0-9]+)\}/;

/** Compiles once. Each gap takes as little as it can; the text is walked once, without going back. */
export function compile(template: string): Template {
  const parts = template.split(new RegExp(GAP, "g"));
  const literals = parts.filter((_, index) => index % 2 === 0);
  const names = parts.filter((_, index) => index % 2 === 1);
  return { match: (text) => walk(text, literals, names) };
}

/** The sentence with its gaps filled; a gap without a value stays as it is written. */
export function fill(template: string, values: ReadonlyMap<string, string>): string {
  return template.replace(new RegExp(GAP, "g"), (gap, name: string) => values.get(name) ?? gap);
}

export function gapsOf(template: string): string[] {
  return [...template.matchAll(new RegExp(GAP, "g"))].map(([, name = ""]) => name).toSorted();
}

function walk(text: string, literals: readonly string[], names: readonly string[]): Map<string, string> | undefined {
  const [head = ""] = literals;
  const tail = literals.at(-1) ?? "";
  if (text.length > MAX_TEXT_CHARACTERS || !text.startsWith(head)) return undefined;
  if (names.length === 0) return text === head ? new Map() : undefined;
  const values = new Map<string, string>();
  let at = head.length;
  for (const [index, name] of names.entries()) {
    const isLast = index === names.length - 1;
    const literal = literals[index + 1] ?? "";
    const end = isLast ? text.length - tail.length : text.indexOf(literal, at + 1);
    if (end <= at || (isLast && !text.endsWith(tail))) return undefined;
    const value = text.slice(at, end);
    if (!fits(name, value)) return undefined;
    values.set(name, value);
    at = end + literal.length;
  }
  return values;
}

function fits(name: string, value: string): boolean {
  if (NUMBERS.has(name)) return /^[0-9][0-9.,]*$/.test(value);
  return !value.includes("\n") && (!WORDS.has(name) || !value.includes(" "));
}
