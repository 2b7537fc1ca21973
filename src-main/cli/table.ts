/** Aligned columns for a terminal. */

/** Rows below a heading, each column as wide as its widest cell, two spaces between. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  return align([heading, ...rows]);
}

/** `label  value` lines, the values aligned. */
export function facts(pairs: readonly (readonly [label: string, value: string])[], indent = ""): string {
  return align(pairs, indent);
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
