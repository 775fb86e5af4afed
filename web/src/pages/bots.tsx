import { Button, Panel, Tags, type Column } from "@tenon/ui";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useState, type ReactElement } from "react";
import { useForbidden } from "../api/access.ts";
import { bots } from "../api/queries.ts";
import type { Bot } from "../api/types.ts";
import { AddBot } from "../bot/add.tsx";
import { List, Search } from "../list.tsx";

const columns: readonly Column<Bot>[] = [
  {
    heading: "Name",
    width: "minmax(10rem, 1fr)",
    cell: ({ name }) => (
      <Link to="/bots/$name" params={{ name }}>
        {name}
      </Link>
    ),
  },
  { heading: "Roles", width: "2fr", cell: ({ roles }) => <Tags items={roles} none="none" /> },
  { heading: "Longest session", width: "8rem", cell: ({ max_session_ttl }) => max_session_ttl },
];

export function BotsPage(): ReactElement {
  const { search } = useSearch({ from: "/shell/bots" });
  const navigate = useNavigate();
  const forbidden = useForbidden()("bot", "create");
  const [adding, setAdding] = useState(false);
  const result = useInfiniteQuery(bots(search));
  const change = useCallback(
    (text: string) => void navigate({ to: "/bots", search: { search: text }, replace: true }),
    [navigate],
  );
  return (
    <>
      <div className="row apart">
        <h1>Bots</h1>
        <Button look="main" forbidden={forbidden} onClick={() => setAdding(true)}>
          Add a bot
        </Button>
      </div>
      <Search label="Search by name, label or role" value={search} onChange={change} />
      <Panel title="All bots" flush>
        <List
          label="Bots"
          result={result}
          columns={columns}
          keyOf={({ name }) => name}
          empty={
            search === "" ? (
              <>
                <p>
                  A bot is the identity of a machine or a job: it joins once, and then renews
                  itself.
                </p>
                {forbidden === undefined && (
                  <Button onClick={() => setAdding(true)}>Add the first one</Button>
                )}
              </>
            ) : (
              <>
                <p>No bot matches “{search}”.</p>
                <Link className="button" to="/bots" search={{ search: "" }}>
                  Show all
                </Link>
              </>
            )
          }
        />
      </Panel>
      {adding && <AddBot onClose={() => setAdding(false)} />}
    </>
  );
}
