import { Empty, Loading, Table, type Column, type Sort } from "@tenon/ui";
import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import type { ReactElement, ReactNode } from "react";
import { Problem } from "./api/factor.tsx";
import type { Page } from "./api/types.ts";
import { useTyped } from "./typed.ts";

export interface ListProps<Row extends object> {
  readonly label: string;
  readonly result: UseInfiniteQueryResult<InfiniteData<Page<Row>>>;
  readonly columns: readonly Column<Row>[];
  readonly keyOf: (row: Row) => string;
  readonly empty: ReactNode;
  readonly sort?: Sort;
  readonly onSort?: (sort: Sort) => void;
}

/** A long list, page by page: loading, refused, empty, or its rows; of other filters, the old rows until the new are there. */
export function List<Row extends object>(props: ListProps<Row>): ReactElement {
  const { label, result, empty, ...table } = props;
  const { data, error, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = result;
  if (error) return <Problem error={error} what={label} retry={() => void refetch()} />;
  if (!data) return <Loading />;
  const rows = data.pages.flatMap(({ items }) => items);
  if (rows.length === 0 && !hasNextPage) return <Empty>{empty}</Empty>;
  const more = hasNextPage && !isFetchingNextPage ? (): void => void fetchNextPage() : undefined;
  return <Table {...table} label={label} rows={rows} more={more} />;
}

/** Narrows a list down while it is typed. */
export function Search({
  label,
  value,
  onChange,
}: {
  label: string;
  value: string;
  onChange: (value: string) => void;
}): ReactElement {
  const [text, setText] = useTyped(value, onChange);
  return (
    <input
      className="search"
      type="search"
      aria-label={label}
      placeholder={label}
      value={text}
      onChange={(event) => setText(event.target.value)}
    />
  );
}
