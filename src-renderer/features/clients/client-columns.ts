/** The clients list's columns, with what they are sorted and searched by (TanStack Table). */
import {
  columnFilteringFeature,
  createColumnHelper,
  createFilteredRowModel,
  createSortedRowModel,
  filterFn_includesString,
  globalFilteringFeature,
  rowSortingFeature,
  sortFn_basic,
  tableFeatures,
} from "@tanstack/react-table";
import type { Client } from "../../../src-shared/model/client.ts";
import { STATE_ORDER, stateOf } from "./client-view.ts";

export const clientFeatures = tableFeatures({
  columnFilteringFeature,
  globalFilteringFeature,
  rowSortingFeature,
  filteredRowModel: createFilteredRowModel(),
  sortedRowModel: createSortedRowModel(),
  filterFns: { includesString: filterFn_includesString },
  sortFns: { basic: sortFn_basic },
});

export const SORT_KEYS = ["name", "state", "rate", "usage", "lastSeen"] as const;
export type SortKey = (typeof SORT_KEYS)[number];

const byName = new Intl.Collator(["en", "ru"], { numeric: true, sensitivity: "base" });
const helper = createColumnHelper<typeof clientFeatures, Client>();

/** Rates, usage and times begin with the largest, names and states with the first. */
export const clientColumns = helper.columns([
  helper.accessor("name", {
    id: "name",
    sortFn: (a, b) => byName.compare(a.original.name, b.original.name),
    sortDescFirst: false,
  }),
  helper.accessor((client) => client.addresses.join(" "), { id: "addresses", enableSorting: false }),
  helper.accessor((client) => STATE_ORDER[stateOf(client)], { id: "state", sortFn: "basic", sortDescFirst: false }),
  helper.accessor((client) => (client.rate?.rxBytesPerSecond ?? 0) + (client.rate?.txBytesPerSecond ?? 0), {
    id: "rate",
    sortFn: "basic",
    sortDescFirst: true,
  }),
  helper.accessor(({ quota, usage }) => quota?.usedBytes ?? usage.rxBytes + usage.txBytes, {
    id: "usage",
    sortFn: "basic",
    sortDescFirst: true,
  }),
  helper.accessor(({ lastHandshakeAt }) => (lastHandshakeAt === undefined ? 0 : Date.parse(lastHandshakeAt)), {
    id: "lastSeen",
    sortFn: "basic",
    sortDescFirst: true,
  }),
]);

/** What the search goes through. */
export function isSearched(columnId: string): boolean {
  return columnId === "name" || columnId === "addresses";
}
