import { Empty, Loading, Panel, Table, Time, type Column } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { Problem } from "../api/factor.tsx";
import { allTokens } from "../api/queries.ts";
import type { Token } from "../api/types.ts";

const columns: readonly Column<Token>[] = [
  { heading: "Name", width: "1fr", cell: ({ name }) => <span className="mono">{name}</span> },
  { heading: "Method", width: "9rem", cell: ({ join_method }) => join_method },
  { heading: "For", width: "7rem", cell: ({ roles }) => roles.join(", ") },
  {
    heading: "Bot",
    width: "1fr",
    cell: ({ bot_name }) =>
      bot_name === "" ? (
        "—"
      ) : (
        <Link to="/bots/$name" params={{ name: bot_name }}>
          {bot_name}
        </Link>
      ),
  },
  { heading: "Ends", width: "8rem", cell: ({ expires }) => <Time at={expires} /> },
];

export function TokensPage(): ReactElement {
  const { data, error, refetch } = useQuery(allTokens);
  return (
    <>
      <h1>Join tokens</h1>
      {error ? (
        <Problem error={error} what="Viewing join tokens" retry={() => void refetch()} />
      ) : !data ? (
        <Loading />
      ) : (
        <Panel title="All tokens" flush>
          {data.length === 0 ? (
            <Empty>There is none: no machine can join.</Empty>
          ) : (
            <Table label="Join tokens" columns={columns} rows={data} keyOf={({ name }) => name} />
          )}
        </Panel>
      )}
    </>
  );
}
