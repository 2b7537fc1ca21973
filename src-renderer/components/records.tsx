/** Rows of records: a table where there is room, and a list on a phone. */
import type { ReactNode } from "react";
import { Facts } from "./card.tsx";
import { Table, type TableProps } from "./table.tsx";
import { useNarrow } from "./use-narrow.ts";
import "./records.css";

export interface RecordsProps<R> extends TableProps<R> {
  /** A row in a few lines for the list; without it every column is a line with its name. */
  readonly brief?: (row: R) => ReactNode;
}

export function Records<R>({ brief, ...table }: RecordsProps<R>) {
  const narrow = useNarrow();
  if (!narrow) return <Table {...table} />;
  const { label, columns, rows, rowKey } = table;
  return (
    <ul className="records" aria-label={label}>
      {rows.map((row) => (
        <li key={rowKey(row)}>
          {brief === undefined ? (
            <Facts
              items={columns.map((column) => ({ key: column.key, label: column.header, value: column.cell(row) }))}
            />
          ) : (
            brief(row)
          )}
        </li>
      ))}
    </ul>
  );
}
