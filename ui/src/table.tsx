import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, type CSSProperties, type ReactElement, type ReactNode } from "react";

export interface Column<Row> {
  readonly heading: string;
  /** CSS grid track, such as `2fr` or `8rem`. */
  readonly width: string;
  readonly cell: (row: Row) => ReactNode;
  readonly number?: boolean;
}

function Line<Row>(about: {
  row: Row | undefined;
  index: number;
  columns: readonly Column<Row>[];
}): ReactElement | null {
  const { row, index, columns } = about;
  if (row === undefined) return null;
  return (
    <div role="row" aria-rowindex={index + 2}>
      {columns.map(({ heading, number, cell }) => (
        <div role="cell" className={number ? "number" : ""} key={heading}>
          {cell(row)}
        </div>
      ))}
    </div>
  );
}

export interface TableProps<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** Asked for when the last row comes into sight. */
  readonly more?: (() => void) | undefined;
}

const ROW_PX = 44;

/** Only what is in sight is in the page: a list may hold a hundred thousand rows. */
export function Table<Row>({ label, columns, rows, keyOf, more }: TableProps<Row>): ReactElement {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    getItemKey: (index) => keyOf(rows[index] as Row),
    overscan: 12,
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? -1;
  useEffect(() => {
    if (last >= rows.length - 1) more?.();
  }, [last, rows.length, more]);
  const before = items[0]?.start ?? 0;
  const after = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  const columnsOf = { "--columns": columns.map(({ width }) => width).join(" ") } as CSSProperties;
  return (
    <div className="scroll" ref={scroller} tabIndex={0} aria-label={label} role="region">
      <div
        className="table"
        role="table"
        aria-label={label}
        aria-rowcount={rows.length + 1}
        style={columnsOf}
      >
        <div className="head" role="row" aria-rowindex={1}>
          {columns.map(({ heading, number }) => (
            <div role="columnheader" className={number ? "number" : ""} key={heading}>
              {heading}
            </div>
          ))}
        </div>
        <div style={{ height: before }} role="presentation" />
        {items.map(({ index, key }) => (
          <Line key={key} row={rows[index]} index={index} columns={columns} />
        ))}
        <div style={{ height: after }} role="presentation" />
      </div>
    </div>
  );
}
