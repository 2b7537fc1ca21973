/**
 * The list of clients: sorted and searched by TanStack Table, drawn by TanStack Virtual, so that only the rows on
 * screen are there. A row is a table's row to screen readers, and a card on a narrow screen.
 */
import { type SortingState, useTable } from "@tanstack/react-table";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { memo, type RefObject, useDeferredValue, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { Client } from "../../../src-shared/model/client.ts";
import { Button } from "../../components/button.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { SelectField, TextField } from "../../components/field.tsx";
import { ArrowDownIcon, ArrowUpIcon, SearchIcon } from "../../components/icons.tsx";
import { useI18n } from "../../i18n/i18n.tsx";
import { clientColumns, clientFeatures, isSearched, SORT_KEYS, type SortKey } from "./client-columns.ts";
import { ClientRow, type RowAction } from "./client-row.tsx";

/** Near enough; a row is measured once it is drawn. */
const ROW_HEIGHT_PX = 68;
/** Rows beyond the edges that are there before they are scrolled to. */
const OVERSCAN_ROWS = 6;

/** Scrolling draws the list again and again, and few of its rows anew. */
const Row = memo(ClientRow);

/** When a client was last seen stands under its state. */
const HEAD_KEYS = SORT_KEYS.filter((key) => key !== "lastSeen");

export interface ClientListProps {
  readonly clients: readonly Client[];
  readonly onAction: (action: RowAction, client: Client) => void;
}

export function ClientList({ clients, onAction }: ClientListProps) {
  const { t } = useI18n();
  const [filter, setFilter] = useState("");
  const [sorting, setSorting] = useState<SortingState>([{ id: "name", desc: false }]);
  // Typing is answered at once; the list follows when there is time.
  const globalFilter = useDeferredValue(filter.trim());
  const table = useTable({
    features: clientFeatures,
    columns: clientColumns,
    data: clients,
    getRowId: (client) => client.id,
    state: { sorting, globalFilter },
    onSortingChange: setSorting,
    globalFilterFn: "includesString",
    getColumnCanGlobalFilter: (column) => isSearched(column.id),
    enableSortingRemoval: false,
  });
  const { rows } = table.getRowModel();
  const shown = useMemo(() => rows.map((row) => row.original), [rows]);
  const sorted = sorting[0];
  function sortBy(key: SortKey) {
    table.getColumn(key)?.toggleSorting();
  }
  return (
    <>
      <div className="list-tools">
        <TextField
          label={
            <span className="row">
              <SearchIcon /> {t("clients.filter")}
            </span>
          }
          type="search"
          placeholder={t("clients.filterHint")}
          value={filter}
          onChange={setFilter}
        />
        <SelectField
          className="list-sort"
          label={t("clients.sortBy")}
          value={SORT_KEYS.find((key) => key === sorted?.id) ?? "name"}
          options={SORT_KEYS.map((key) => ({ value: key, label: t(`clients.sort.${key}`) }))}
          onChange={(key) => setSorting([{ id: key, desc: key !== "name" && key !== "state" }])}
        />
        <p className="soft small list-count" role="status">
          {shown.length === clients.length
            ? t("clients.count", { count: clients.length })
            : t("clients.countFound", { found: shown.length, total: clients.length })}
        </p>
      </div>
      {shown.length === 0 ? (
        <EmptyState
          icon={SearchIcon}
          title={t("clients.noMatch", { filter: globalFilter })}
          action={<Button onClick={() => setFilter("")}>{t("clients.clearFilter")}</Button>}
        >
          {t("clients.noMatchDetail")}
        </EmptyState>
      ) : (
        <table className="list" aria-label={t("clients.title")} aria-rowcount={shown.length + 1}>
          <ListHead sorted={sorted} onSort={sortBy} />
          <Rows clients={shown} onAction={onAction} />
        </table>
      )}
    </>
  );
}

function ListHead({
  sorted,
  onSort,
}: {
  sorted: { readonly id: string; readonly desc: boolean } | undefined;
  onSort: (key: SortKey) => void;
}) {
  const { t } = useI18n();
  return (
    <thead className="list-head">
      <tr className="list-row" aria-rowindex={1}>
        {HEAD_KEYS.map((key) => {
          const mine = sorted?.id === key ? sorted : undefined;
          return (
            <th
              key={key}
              scope="col"
              className={`cell-${key}`}
              aria-sort={mine === undefined ? "none" : mine.desc ? "descending" : "ascending"}
            >
              <button type="button" className="sort" onClick={() => onSort(key)}>
                {t(`clients.column.${key}`)}
                {mine !== undefined && (mine.desc ? <ArrowDownIcon /> : <ArrowUpIcon />)}
              </button>
            </th>
          );
        })}
        <th scope="col" className="cell-actions">
          {t("clients.column.actions")}
        </th>
      </tr>
    </thead>
  );
}

/** A keystroke is shown at once, without the rows; they follow when what is searched for has changed. */
const Rows = memo(function Rows({ clients, onAction }: ClientListProps) {
  const place = useRef<HTMLTableSectionElement>(null);
  const top = useTop(place);
  const virtual = useWindowVirtualizer({
    count: clients.length,
    estimateSize: () => ROW_HEIGHT_PX,
    overscan: OVERSCAN_ROWS,
    scrollMargin: top,
    getItemKey: (at) => clients[at]?.id ?? at,
  });
  return (
    <tbody ref={place} className="list-body" style={{ height: virtual.getTotalSize() }}>
      {virtual.getVirtualItems().map((item) => {
        const client = clients[item.index];
        if (client === undefined) return null;
        return (
          <tr
            key={item.key}
            ref={virtual.measureElement}
            data-index={item.index}
            aria-rowindex={item.index + 2}
            className="list-row list-item"
            style={{ transform: `translateY(${item.start - top}px)` }}
          >
            <Row client={client} onAction={onAction} />
          </tr>
        );
      })}
    </tbody>
  );
});

/** Where the list begins on the page, in pixels; what stands above it may grow, such as a banner. */
function useTop(place: RefObject<HTMLElement | null>): number {
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    const measure = () => {
      if (place.current !== null) setTop(Math.round(place.current.getBoundingClientRect().top + window.scrollY));
    };
    measure();
    const watcher = new ResizeObserver(measure);
    watcher.observe(document.body);
    return () => watcher.disconnect();
  }, [place]);
  return top;
}
