import type { Row as TableRow } from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef, type CSSProperties, type ReactElement } from "react";
import { classOf, Heading } from "./heading.tsx";
import { useSteady } from "./steady.ts";
import { useRows, type Column, type Features, type Sort } from "./rows.ts";

export interface TableProps<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** Asked for when the last row comes into sight. */
  readonly more?: (() => void) | undefined;
  /** How whoever gave the rows sorted them; without `onSort` the table sorts by itself. */
  readonly sort?: Sort | undefined;
  readonly onSort?: ((sort: Sort) => void) | undefined;
}

const ROW_PX = 44;

/** Only what is in sight is in the page: a list may hold a hundred thousand rows. */
export function Table<Row extends object>(props: TableProps<Row>): ReactElement {
  const { label, columns, more } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const table = useRows(props);
  const { rows } = table.getRowModel();
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    getItemKey: (index) => rows[index]!.id,
    overscan: 12,
  });
  const ids = useMemo(() => rows.map(({ id }) => id), [rows]);
  useSteady(scroller, ids, ROW_PX);
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? -1;
  useEffect(() => {
    if (last >= rows.length - 1) more?.();
  }, [last, rows.length, more]);
  const before = items[0]?.start ?? 0;
  const after = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  return (
    <div className="scroll" ref={scroller} tabIndex={0} aria-label={label} role="region">
      <div
        className="table"
        role="table"
        aria-label={label}
        aria-rowcount={rows.length + 1}
        style={tracksOf(columns)}
      >
        <div className="head" role="row" aria-rowindex={1}>
          {table.getFlatHeaders().map((header, index) => (
            <Heading key={header.id} header={header} column={columns[index]!} />
          ))}
        </div>
        <div style={{ height: before }} role="presentation" />
        {items.map(({ index, key }) => (
          <Line key={key} row={rows[index]} columns={columns} index={index} />
        ))}
        <div style={{ height: after }} role="presentation" />
      </div>
    </div>
  );
}

/** As many as there is room for: a narrow screen leaves out those that are wide's alone. */
const tracksOf = (columns: readonly Column<never>[]): CSSProperties => {
  const tracks = (of: readonly Column<never>[]): string => of.map(({ width }) => width).join(" ");
  const narrow = columns.filter(({ wide }) => !wide);
  return { "--columns": tracks(columns), "--narrow": tracks(narrow) } as CSSProperties;
};

function Line<Row extends object>(about: {
  row: TableRow<Features, Row> | undefined;
  index: number;
  columns: readonly Column<Row>[];
}): ReactElement | null {
  const { row, index, columns } = about;
  if (row === undefined) return null;
  return (
    <div role="row" aria-rowindex={index + 2}>
      {columns.map((column) => (
        <div role="cell" className={classOf(column)} key={column.heading}>
          {column.cell(row.original)}
        </div>
      ))}
    </div>
  );
}
