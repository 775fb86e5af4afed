import { Menu, Panel, Title } from "@tenon/ui";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, type ReactElement } from "react";
import { EventFilters } from "../audit/filters.tsx";
import { useForbidden } from "../api/access.ts";
import { events, exportPath, type EventFilter } from "../api/events.ts";
import { logColumns } from "../event-columns.tsx";
import { List } from "../list.tsx";

export function AuditPage(): ReactElement {
  const filter = useSearch({ from: "/shell/audit" });
  const navigate = useNavigate();
  const result = useInfiniteQuery(events(filter));
  const change = useCallback(
    (search: EventFilter) => void navigate({ to: "/audit", search, replace: true }),
    [navigate],
  );
  const forbidden = useForbidden()("event", "list");
  const take = (format: "jsonl" | "csv"): void => location.assign(exportPath(filter, format));
  return (
    <>
      <div className="row apart">
        <Title text="Audit log" />
        <Menu
          label="Export these events"
          text="Export"
          entries={[
            { text: "JSON Lines", onAct: () => take("jsonl"), forbidden },
            { text: "CSV, for a spreadsheet", onAct: () => take("csv"), forbidden },
          ]}
        />
      </div>
      <EventFilters filter={filter} onChange={change} />
      <Panel title={filter.to ? "Events, newest first" : "Events, newest first, live"} flush>
        <List
          label="Viewing the audit log"
          result={result}
          columns={logColumns}
          keyOf={({ id }) => id}
          empty="No event matches."
        />
      </Panel>
    </>
  );
}
