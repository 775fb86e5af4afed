import {
  createSortedRowModel,
  rowSortingFeature,
  sortFn_basic,
  tableFeatures,
  useTable,
  type ColumnDef,
  type ReactTable,
  type SortingState,
} from "@tanstack/react-table";
import { useMemo, useState, type ReactNode } from "react";

export interface Column<Row> {
  readonly heading: string;
  /** CSS grid track, such as `2fr` or `8rem`. */
  readonly width: string;
  readonly cell: (row: Row) => ReactNode;
  readonly number?: boolean;
  /** Left out where there is little room; what is left says enough. */
  readonly wide?: boolean;
  /** What the rows are sorted by where the table does it: the rows that it has are all there are. */
  readonly value?: (row: Row) => string | number;
  /** The word by which whoever gives the rows sorts them. */
  readonly sort?: string;
  /** The first click sorts downwards: for times and numbers. */
  readonly downFirst?: boolean;
}

export interface Sort {
  /** A column's `sort`. */
  readonly by: string;
  readonly descending: boolean;
}

const features = tableFeatures({
  rowSortingFeature,
  sortedRowModel: createSortedRowModel(),
  sortFns: { basic: sortFn_basic },
});
export type Features = typeof features;

interface RowsOf<Row> {
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly sort?: Sort | undefined;
  readonly onSort?: ((sort: Sort) => void) | undefined;
}

/** The rows in their order: that of whoever sorts them elsewhere, or sorted here. */
export function useRows<Row extends object>(about: RowsOf<Row>): ReactTable<Features, Row> {
  const { columns, rows, keyOf, sort, onSort } = about;
  const [own, setOwn] = useState<SortingState>([]);
  const elsewhere = onSort !== undefined;
  const given = sort ? [{ id: sort.by, desc: sort.descending }] : [];
  const sorting = elsewhere ? given : own;
  return useTable({
    features,
    columns: useMemo(
      () => columns.map((each) => definitionOf(each, elsewhere)),
      [columns, elsewhere],
    ),
    data: rows,
    getRowId: keyOf,
    manualSorting: elsewhere,
    enableSortingRemoval: false,
    enableMultiSort: false,
    state: { sorting },
    onSortingChange: (change) => {
      const next = typeof change === "function" ? change(sorting) : change;
      const [first] = next;
      if (elsewhere && first) onSort({ by: first.id, descending: first.desc });
      else setOwn(next);
    },
  });
}

const definitionOf = <Row extends object>(
  column: Column<Row>,
  elsewhere: boolean,
): ColumnDef<Features, Row> => ({
  id: (elsewhere ? column.sort : undefined) ?? column.heading,
  accessorFn: column.value ?? (() => ""),
  header: column.heading,
  sortFn: "basic",
  sortDescFirst: column.downFirst ?? false,
  enableSorting: (elsewhere ? column.sort : column.value) !== undefined,
});
