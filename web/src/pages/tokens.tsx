import {
  Badge,
  Button,
  Empty,
  Loading,
  Notice,
  Panel,
  Table,
  Tags,
  Time,
  type Column,
} from "@tenon/ui";
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
    width: "minmax(11rem, 1fr)",
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
    width: "9rem",
    value: ({ join_method }) => join_method,
    cell: ({ join_method }) => join_method,
  },
  {
    heading: "For",
    wide: true,
    width: "8rem",
    value: ({ roles }) => roles.join(),
    cell: ({ roles }) => <Tags items={roles} none="—" />,
  },
  {
    heading: "Bot",
    width: "1fr",
    value: ({ bot_name }) => bot_name,
    cell: ({ bot_name }) => (bot_name === "" ? "—" : <ResourceLink kind="bot" name={bot_name} />),
  },
  {
    heading: "State",
    width: "8rem",
    value: ({ state }) => state ?? "",
    cell: (token) => <TokenState token={token} />,
  },
  {
    heading: "Recoveries left",
    wide: true,
    width: "8rem",
    number: true,
    value: ({ recoveries_left }) => recoveries_left ?? Number.MAX_SAFE_INTEGER,
    cell: (token) => <Recoveries token={token} />,
  },
  {
    heading: "Ends",
    width: "8rem",
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
