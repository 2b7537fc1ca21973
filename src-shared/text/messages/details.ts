/** Short English within Russian sentences: what was answered, which of a few things it is, a list of them. */
import { compile, fill, type Pair } from "./template.ts";

/** Gaps that may hold any name are not among them: a guest may be called anything. */
const GAPS: ReadonlySet<string> = new Set([
  ...["detail", "reason", "names", "addresses", "mode", "protocol", "seen", "told", "what", "problem", "code"],
]);

const PHRASES: readonly Pair[] = [
  ["no answer within {ms} ms", "нет ответа за {ms} мс"],
  ["{count} bytes", "байтов: {count}"],
  ["{count} addresses", "адресов: {count}"],
  ["HTTP {code}", "HTTP {code}"],
];

const WORDS: Readonly<Record<string, string>> = {
  "no such name": "такого имени нет",
  "no answer": "нет ответа",
  connected: "соединение установлено",
  connections: "соединения",
  names: "имена",
  traffic: "объёмы",
  nothing: "ничего",
  none: "нет",
  unknown: "неизвестно",
  pcp: "PCP",
  "nat-pmp": "NAT-PMP",
  upnp: "UPnP",
  nat66: "NAT66",
  nptv6: "NPTv6",
};

const templates = PHRASES.map(([english, russian]) => ({ template: compile(english), russian }));

/** The value of the gap in Russian, or as it is. */
export function detailInRussian(gap: string, english: string): string {
  if (!GAPS.has(gap)) return english;
  return english
    .split(/(, | and )/)
    .map((part) => (part === " and " ? " и " : partInRussian(part)))
    .join("");
}

function partInRussian(part: string): string {
  if (Object.hasOwn(WORDS, part)) return WORDS[part] ?? part;
  for (const { template, russian } of templates) {
    const values = template.match(part);
    if (values !== undefined) return fill(russian, values);
  }
  return part;
}
