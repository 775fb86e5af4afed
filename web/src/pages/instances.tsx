import { Button, Panel, Title, type Sort } from "@tenon/ui";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, type ReactElement } from "react";
import { instances } from "../api/queries.ts";
import { instanceColumns } from "../columns.tsx";
import { AtAGlance, Choices } from "../instances/glance.tsx";
import { List, Search } from "../list.tsx";

type Given = ReturnType<typeof useGiven>;
const useGiven = () => useSearch({ from: "/shell/instances" });

/** The usual order, where the address bar has none. */
const orderOf = ({ sort, order }: Given): "asc" | "desc" =>
  order ?? (sort === "name" ? "asc" : "desc");

/** What narrows the list down; without an entry it does not. */
export const filters = ["bot_name", "version", "health", "os", "join_method"] as const;
export type Filter = (typeof filters)[number];

export function InstancesPage(): ReactElement {
  const given = useGiven();
  const navigate = useNavigate();
  const result = useInfiniteQuery(instances({ ...given, order: orderOf(given) }));
  const change = useCallback(
    (next: Given) => void navigate({ to: "/instances", search: next, replace: true }),
    [navigate],
  );
  const search = useCallback((text: string) => change({ ...given, search: text }), [change, given]);
  const bot = useCallback((text: string) => change({ ...given, bot_name: text }), [change, given]);
  const filter = (name: Filter, value: string): void => {
    const { [name]: _, ...rest } = given;
    change({ bot_name: "", ...rest, ...(value === "" ? {} : { [name]: value }) });
  };
  const sort = ({ by, descending }: Sort): void =>
    change({ ...given, sort: by as Given["sort"], order: descending ? "desc" : "asc" });
  const isFiltered = given.search !== "" || filters.some((name) => given[name]);
  return (
    <>
      <Title text="Instances" />
      <AtAGlance given={given} onFilter={filter} />
      <Search label="Search in every field" value={given.search} onChange={search} />
      <div className="row">
        <Search label="Of this bot only" value={given.bot_name} onChange={bot} />
        <Choices given={given} onFilter={filter} />
        {isFiltered && (
          <Button
            look="quiet"
            onClick={() => change({ search: "", bot_name: "", sort: given.sort })}
          >
            Show all
          </Button>
        )}
      </div>
      <Panel title={isFiltered ? "Instances that match" : "All instances"} flush>
        <List
          label="Viewing instances"
          result={result}
          columns={instanceColumns}
          keyOf={({ instance_id }) => instance_id}
          sort={{ by: given.sort, descending: orderOf(given) === "desc" }}
          onSort={sort}
          empty={
            isFiltered
              ? "No instance matches."
              : "No machine has joined yet. It appears here as soon as one does."
          }
        />
      </Panel>
    </>
  );
}
