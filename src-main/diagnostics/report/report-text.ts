/** A report for people: the same content as the JSON, under headings, one fact per line. */

/** Deeper than any part of a report. */
const MAX_DEPTH = 12;

export function reportText(content: Readonly<Record<string, unknown>>): string {
  const lines: string[] = ["HiggsNode report", "Nothing of it was sent anywhere. Read it before you attach it.", ""];
  for (const [name, value] of Object.entries(content)) {
    lines.push(`== ${headingOf(name)}`, ...linesOf(value, 0), "");
  }
  return `${lines.join("\n").trimEnd()}\n`;
}

/** `ownRules` → `Own rules` */
function headingOf(name: string): string {
  const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function linesOf(value: unknown, depth: number): string[] {
  const indent = "  ".repeat(depth);
  if (depth > MAX_DEPTH) return [`${indent}…`];
  if (Array.isArray(value)) {
    if (value.length === 0) return [`${indent}none`];
    return value.flatMap((item) => (isLeaf(item) ? [`${indent}- ${leaf(item)}`] : itemLines(item, depth)));
  }
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).flatMap(([key, inner]) =>
      isLeaf(inner) ? [`${indent}${key}: ${leaf(inner)}`] : [`${indent}${key}:`, ...linesOf(inner, depth + 1)],
    );
  }
  return [`${indent}${leaf(value)}`];
}

/** An object in a list begins with a dash in place of its first indentation. */
function itemLines(item: unknown, depth: number): string[] {
  const [first = "", ...rest] = linesOf(item, depth + 1);
  return [`${"  ".repeat(depth)}- ${first.trimStart()}`, ...rest];
}

function isLeaf(value: unknown): boolean {
  return typeof value !== "object" || value === null || (Array.isArray(value) && value.length === 0);
}

function leaf(value: unknown): string {
  if (Array.isArray(value)) return "none";
  return String(value).replaceAll("\n", " / ");
}
