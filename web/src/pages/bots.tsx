import { Button, Panel, Tags, Time, Title, type Column, type Sort } from "@tenon/ui";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, type ReactElement } from "react";
import { useForbidden } from "../api/access.ts";
import { bots } from "../api/queries.ts";
import type { Bot } from "../api/types.ts";
import { List, Search } from "../list.tsx";

const columns: readonly Column<Bot>[] = [
  {
    heading: "Name",
    width: "minmax(10rem, 1fr)",
    sort: "name",
    cell: ({ name }) => (
      <Link to="/bots/$name" params={{ name }}>
        {name}
      </Link>
    ),
  },
  { heading: "Roles", width: "2fr", cell: ({ roles }) => <Tags items={roles} none="none" /> },
  {
    heading: "Longest session",
    width: "8rem",
    wide: true,
    cell: ({ max_session_ttl }) => max_session_ttl,
  },
  {
    heading: "Created",
    width: "8rem",
    wide: true,
    sort: "created_at",
    downFirst: true,
    cell: ({ created_at }) => <Time at={created_at} none="—" />,
  },
];

export function BotsPage(): ReactElement {
  const given = useSearch({ from: "/shell/bots" });
  const navigate = useNavigate();
  const result = useInfiniteQuery(bots({ sort: "name", order: "asc", ...given }));
  const change = useCallback(
    (next: typeof given) => void navigate({ to: "/bots", search: next, replace: true }),
    [navigate],
  );
  const search = useCallback((text: string) => change({ ...given, search: text }), [change, given]);
  const sort = ({ by, descending }: Sort): void =>
    change({
      search: given.search,
      ...(by === "created_at" ? { sort: by } : {}),
      ...(descending ? { order: "desc" } : {}),
    });
  return (
    <>
      <div className="row apart">
        <Title text="Bots" />
        <AddButton text="Add a bot" />
      </div>
      <Search label="Search by name, label or role" value={given.search} onChange={search} />
      <Panel title="All bots" flush>
        <List
          label="Bots"
          result={result}
          columns={columns}
          keyOf={({ name }) => name}
          sort={{ by: given.sort ?? "name", descending: given.order === "desc" }}
          onSort={sort}
          empty={given.search === "" ? <NoBots /> : <NoMatch search={given.search} />}
        />
      </Panel>
    </>
  );
}

function AddButton({ text }: { text: string }): ReactElement {
  const navigate = useNavigate();
  const forbidden = useForbidden()("bot", "create");
  const add = (): void => void navigate({ to: "/add-bot", search: { how: "bound_keypair" } });
  return (
    <Button look="main" forbidden={forbidden} onClick={add}>
      {text}
    </Button>
  );
}

const NoBots = (): ReactElement => (
  <>
    <p>A bot is the identity of a machine or a job: it joins once, and then renews itself.</p>
    <AddButton text="Add the first one" />
  </>
);

const NoMatch = ({ search }: { search: string }): ReactElement => (
  <>
    <p>No bot matches “{search}”.</p>
    <Link className="button" to="/bots" search={{ search: "" }}>
      Show all
    </Link>
  </>
);
