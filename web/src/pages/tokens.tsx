import { Button, Empty, Loading, Notice, Panel, Table, Title } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, type ReactElement } from "react";
import { useForbidden } from "../api/access.ts";
import { Problem } from "../api/factor.tsx";
import { allTokens, MOST_SORTED } from "../api/queries.ts";
import { Search } from "../list.tsx";
import { tokenColumns } from "../tokens/columns.tsx";

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
        <Title text="Join tokens" />
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
                columns={tokenColumns}
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
