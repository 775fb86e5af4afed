import { Panel, type Column } from "@tenon/ui";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useCallback, type ReactElement } from "react";
import { resources } from "../api/queries.ts";
import type { Document } from "../api/types.ts";
import { List, Search } from "../list.tsx";
import { titleOf } from "../navigation.tsx";

const columns: readonly Column<Document>[] = [
  { heading: "Name", width: "minmax(12rem, 1fr)", cell: ({ metadata }) => metadata.name },
  { heading: "Description", width: "1fr", cell: ({ metadata }) => metadata.description ?? "" },
  {
    heading: "What it says",
    width: "2fr",
    cell: ({ spec }) => {
      const text = JSON.stringify(spec);
      return (
        <span className="mono soft" title={text}>
          {text}
        </span>
      );
    },
  },
];

export function ResourcesPage(): ReactElement {
  const { kind } = useParams({ from: "/shell/resources/$kind" });
  const { search } = useSearch({ from: "/shell/resources/$kind" });
  const navigate = useNavigate();
  const result = useInfiniteQuery(resources(kind, search));
  const change = useCallback(
    (text: string) =>
      void navigate({
        to: "/resources/$kind",
        params: { kind },
        search: { search: text },
        replace: true,
      }),
    [navigate, kind],
  );
  const title = titleOf(kind);
  return (
    <>
      <h1>{title}</h1>
      <Search label="Search by name or label" value={search} onChange={change} />
      <Panel title={`All ${title.toLowerCase()}`} flush>
        <List
          label={`Viewing ${title.toLowerCase()}`}
          result={result}
          columns={columns}
          keyOf={({ metadata }) => metadata.name}
          empty="Nothing matches."
        />
      </Panel>
    </>
  );
}
