import { Panel } from "@tenon/ui";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { events } from "../api/queries.ts";
import { List } from "../list.tsx";
import { eventColumns } from "../pages/audit.tsx";

/** The audit log asks again by itself, while the page is looked at. */
const EVERY_MS = 5_000;

export function BotEvents({ bot }: { bot: string }): ReactElement {
  const result = useInfiniteQuery({
    ...events({ bot, user: "", type: "" }),
    refetchInterval: EVERY_MS,
  });
  return (
    <Panel
      title="Audit log"
      flush
      actions={
        <Link className="button quiet" to="/audit" search={{ bot, user: "", type: "" }}>
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
