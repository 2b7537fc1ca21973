/** Aligned columns for a terminal. */

/** Rows below a heading, each column as wide as its widest cell, two spaces between. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  return align([heading, ...rows]);
}

/** Below this width a wrapped value is harder to read than one that the terminal breaks. */
const MIN_VALUE_COLUMNS = 24;

/**
 * `label  value` lines, the values aligned.
 * @param columns width of the terminal: longer values go on below themselves; undefined for lines of any length
 */
export function facts(
  pairs: readonly (readonly [label: string, value: string])[],
  indent = "",
  columns: number | undefined = undefined,
): string {
  const labels = Math.max(0, ...pairs.map(([label]) => width(label)));
  const room = (columns ?? Number.POSITIVE_INFINITY) - indent.length - labels - 2;
  if (room < MIN_VALUE_COLUMNS) return align(pairs, indent);
  return align(
    pairs.flatMap(([label, value]) => wrap(value, room).map((line, index) => [index === 0 ? label : "", line])),
    indent,
  );
}

/** The time as this computer's clock shows it, to the second: `2026-01-31 12:00:00`. */
export function localTime(iso: string): string {
  const time = new Date(iso);
  const two = (value: number) => String(value).padStart(2, "0");
  const date = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join("-");
  return `${date} ${[time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(":")}`;
}

/** Lines of at most `room` columns, broken between words; a word that is longer has a line of its own. */
function wrap(text: string, room: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && width(last) + 1 + width(word) <= room) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function align(rows: readonly (readonly string[])[], indent = ""): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, width(cell));
  }
  return rows
    .map((row) => `${indent}${row.map((cell, column) => pad(cell, widths[column] ?? 0)).join("  ")}`.trimEnd())
    .join("\n");
}

function pad(cell: string, columns: number): string {
  return cell + " ".repeat(columns - width(cell));
}

/** Characters as people count them; those that terminals draw twice as wide are counted once. */
function width(cell: string): number {
  return [...new Intl.Segmenter().segment(cell)].length;
}
