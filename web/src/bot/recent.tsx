import { Empty, Loading, Panel, Table, Time, type Column } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { Problem } from "../api/factor.tsx";
import { endedInstances } from "../api/insight.ts";
import type { Instance } from "../api/types.ts";
import { ownInstanceColumns } from "../columns.tsx";

const columns: readonly Column<Instance>[] = [
  ...ownInstanceColumns.filter(({ heading }) =>
    ["Instance", "Host", "Join method"].includes(heading),
  ),
  {
    heading: "Last active",
    width: "8rem",
    cell: ({ last_active_at }) => <Time at={last_active_at} />,
  },
  {
    heading: "Credentials ended",
    width: "9rem",
    cell: ({ credentials_end }) => <Time at={credentials_end} />,
  },
];

/** Those that ended within a day: a machine that was replaced, or one that somebody misses. */
export function RecentInstances({ bot }: { bot: string }): ReactElement {
  const { data, error, refetch } = useQuery(endedInstances(bot));
  return (
    <Panel title="Recent instances" flush>
      {error ? (
        <Problem error={error} what="Viewing instances" retry={() => void refetch()} />
      ) : !data ? (
        <Loading />
      ) : data.items.length === 0 ? (
        <Empty>No instance’s credentials ended in the last 24 hours.</Empty>
      ) : (
        <>
          <Table
            label="Instances whose credentials ended in the last 24 hours"
            columns={columns}
            rows={data.items}
            keyOf={({ instance_id }) => instance_id}
          />
          {data.next_key !== "" && (
            <p className="aside soft">Only the {data.items.length} that ended last are shown.</p>
          )}
        </>
      )}
    </Panel>
  );
}
