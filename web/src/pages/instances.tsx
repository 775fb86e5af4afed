import { Panel } from "@tenon/ui";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, type ReactElement } from "react";
import { instances } from "../api/queries.ts";
import { instanceColumns } from "../columns.tsx";
import { List, Search } from "../list.tsx";

export function InstancesPage(): ReactElement {
  const given = useSearch({ from: "/shell/instances" });
  const navigate = useNavigate();
  const order = given.sort === "name" ? "asc" : "desc";
  const result = useInfiniteQuery(instances({ ...given, order }));
  const change = useCallback(
    (next: Partial<typeof given>) =>
      void navigate({ to: "/instances", search: { ...given, ...next }, replace: true }),
    [navigate, given],
  );
  const search = useCallback((text: string) => change({ search: text }), [change]);
  return (
    <>
      <h1>Instances</h1>
      <div className="row">
        <label className="row">
          <span>Sort by</span>
          <select
            className="button"
            value={given.sort}
            onChange={(event) =>
              change({ sort: event.target.value === "name" ? "name" : "last_active_at" })
            }
          >
            <option value="last_active_at">last activity</option>
            <option value="name">name</option>
          </select>
        </label>
      </div>
      <Search label="Search in every field" value={given.search} onChange={search} />
      <Panel title={given.bot_name ? `Of bot ${given.bot_name}` : "All instances"} flush>
        <List
          label="Viewing instances"
          result={result}
          columns={instanceColumns}
          keyOf={({ instance_id }) => instance_id}
          empty="No instance matches."
        />
      </Panel>
    </>
  );
}
