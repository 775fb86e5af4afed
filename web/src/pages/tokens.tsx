import { Badge, Button, Empty, Loading, Notice, Panel, Table, Time, type Column } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, type ReactElement } from "react";
import { useForbidden } from "../api/access.ts";
import { Problem } from "../api/factor.tsx";
import { allTokens, MOST_SORTED } from "../api/queries.ts";
import type { Token } from "../api/types.ts";
import { Search } from "../list.tsx";
import { ResourceLink } from "../resource/links.tsx";
import { TokenState } from "../tokens/state.tsx";

const NEVER = "~";

const columns: readonly Column<Token>[] = [
  {
    heading: "Name",
    width: "minmax(8rem, 1.2fr)",
    value: ({ name }) => name,
    cell: ({ id, name }) => (
      <Link to="/tokens/$name" params={{ name: id }} search={{ view: "" }} className="mono">
        <bdi>{name}</bdi>
      </Link>
    ),
  },
  {
    heading: "Method",
    wide: true,
    width: "8rem",
    value: ({ join_method }) => join_method,
    cell: ({ join_method }) => join_method,
  },
  {
    heading: "For",
    width: "minmax(5rem, 1fr)",
    value: ({ bot_name, roles }) => bot_name || roles.join(),
    cell: ({ bot_name, roles }) =>
      bot_name === "" ? roles.join(", ") : <ResourceLink kind="bot" name={bot_name} />,
  },
  {
    heading: "State",
    width: "7rem",
    value: ({ state }) => state ?? "",
    cell: (token) => <TokenState token={token} />,
  },
  {
    heading: "Recoveries",
    wide: true,
    width: "5.5rem",
    number: true,
    value: ({ recoveries_left }) => recoveries_left ?? Number.MAX_SAFE_INTEGER,
    cell: (token) => <Recoveries token={token} />,
  },
  {
    heading: "Ends",
    wide: true,
    width: "6.5rem",
    value: ({ expires }) => expires || NEVER,
    cell: ({ expires }) => <Time at={expires} />,
  },
];

const Recoveries = ({
  token: { recoveries_left: left, recovery_limit: limit },
}: {
  token: Token;
}): ReactElement =>
  left === undefined ? (
    <span className="soft">—</span>
  ) : left === 0 ? (
    <Badge tone="bad">0 of {limit}</Badge>
  ) : (
    <>
      {left} of {limit}
    </>
  );

export function TokensPage(): ReactElement {
  const { search = "" } = useSearch({ from: "/shell/tokens" });
  const navigate = useNavigate();
  const may = useForbidden();
  const unseen = may("token", "list");
  const { data, error, refetch } = useQuery({
    ...allTokens(search),
    enabled: unseen === undefined,
  });
  const forbidden = may("token", "create");
  const change = useCallback(
    (text: string) => void navigate({ to: "/tokens", search: { search: text }, replace: true }),
    [navigate],
  );
  return (
    <>
      <div className="row apart">
        <h1>Join tokens</h1>
        <Button
          look="main"
          forbidden={forbidden}
          onClick={() =>
            void navigate({
              to: "/create/$kind",
              params: { kind: "token" },
              search: { view: "", bot: "" },
            })
          }
        >
          New join token
        </Button>
      </div>
      <Search label="Search by name, method or bot" value={search} onChange={change} />
      {unseen !== undefined ? (
        <Notice tone="soft">You may not see this: {unseen}.</Notice>
      ) : error ? (
        <Problem error={error} what="Viewing join tokens" retry={() => void refetch()} />
      ) : !data ? (
        <Loading />
      ) : (
        <>
          {data.more && (
            <Notice tone="soft">
              The first {MOST_SORTED.toLocaleString()} are shown; search for the others.
            </Notice>
          )}
          <Panel title="All join tokens" flush>
            {data.items.length === 0 ? (
              <Empty>
                {search === ""
                  ? "There is none: no machine can join."
                  : `Nothing matches “${search}”.`}
              </Empty>
            ) : (
              <Table
                label="Join tokens"
                columns={columns}
                rows={data.items}
                keyOf={({ id }) => id}
              />
            )}
          </Panel>
        </>
      )}
    </>
  );
}
