import type { Header } from "@tanstack/react-table";
import type { ReactElement } from "react";
import type { Column, Features } from "./rows.ts";

const words = { asc: "ascending", desc: "descending" } as const;
const arrows = { asc: "↑", desc: "↓" } as const;

/** A column's name; where it can be sorted by it, a button that does, and turns the order over. */
export function Heading<Row extends object>(about: {
  header: Header<Features, Row>;
  column: Column<Row>;
}): ReactElement {
  const { heading } = about.column;
  const { column } = about.header;
  const className = classOf(about.column);
  if (!column.getCanSort())
    return (
      <div role="columnheader" className={className}>
        {heading}
      </div>
    );
  const order = column.getIsSorted();
  return (
    <div role="columnheader" className={className} aria-sort={order ? words[order] : "none"}>
      <button type="button" className="sort" onClick={() => column.toggleSorting()}>
        {heading}
        <span aria-hidden="true">{order ? arrows[order] : ""}</span>
      </button>
    </div>
  );
}

export const classOf = ({ number, wide }: Pick<Column<never>, "number" | "wide">): string =>
  `${number ? "number" : ""} ${wide ? "wide" : ""}`;
