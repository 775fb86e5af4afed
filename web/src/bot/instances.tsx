import { Button, Empty, Loading, Panel, Table } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { Problem } from "../api/factor.tsx";
import { activeInstances } from "../api/queries.ts";
import { ownInstanceColumns } from "../columns.tsx";

/** The ten that were heard of last, of those whose credentials hold. */
export function ActiveInstances({ bot }: { bot: string }): ReactElement {
  const { data, error, refetch, isFetching } = useQuery(activeInstances(bot));
  return (
    <Panel
      title="Active instances"
      flush
      actions={
        <>
          <Button look="quiet" busy={isFetching} onClick={() => void refetch()}>
            Refresh
          </Button>
          <Link
            className="button quiet"
            to="/instances"
            search={{ search: bot, bot_name: "", sort: "last_active_at" }}
          >
            See more
          </Link>
        </>
      }
    >
      {error ? (
        <Problem error={error} what="Viewing instances" retry={() => void refetch()} />
      ) : !data ? (
        <Loading />
      ) : data.length === 0 ? (
        <Empty>No machine is this bot now. One appears here as soon as it joins.</Empty>
      ) : (
        <Table
          label="Active instances"
          columns={ownInstanceColumns}
          rows={data}
          keyOf={({ instance_id }) => instance_id}
        />
      )}
    </Panel>
  );
}
