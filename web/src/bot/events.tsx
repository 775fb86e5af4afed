import { Panel } from "@tenon/ui";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { events } from "../api/events.ts";
import { eventColumns } from "../event-columns.tsx";
import { List } from "../list.tsx";

/** The audit log of this bot; what happens appears at once. */
export function BotEvents({ bot }: { bot: string }): ReactElement {
  const result = useInfiniteQuery(events({ bot }));
  return (
    <Panel
      title="Audit log"
      flush
      actions={
        <Link className="button quiet" to="/audit" search={{ bot }}>
          See more
        </Link>
      }
    >
      <List
        label="Viewing the audit log"
        result={result}
        columns={eventColumns}
        keyOf={({ id }) => id}
        empty="Nothing has happened yet."
      />
    </Panel>
  );
}
