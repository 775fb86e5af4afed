import { Badge, Panel, Time, type Column } from "@tenon/ui";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, type ReactElement } from "react";
import { events } from "../api/queries.ts";
import type { AuditEvent } from "../api/types.ts";
import { List, Search } from "../list.tsx";

const shown = (value: unknown): string =>
  typeof value === "string" ? value : JSON.stringify(value);

export const eventColumns: readonly Column<AuditEvent>[] = [
  { heading: "Time", width: "8rem", cell: ({ time }) => <Time at={time} /> },
  {
    heading: "Event",
    width: "13rem",
    cell: ({ type, code }) =>
      code === "failure" ? <Badge tone="bad">{type}</Badge> : <span className="mono">{type}</span>,
  },
  { heading: "By", width: "10rem", cell: ({ actor }) => actor.name || actor.kind },
  {
    heading: "What",
    width: "1fr",
    cell: ({ fields }) => {
      const text = Object.entries(fields)
        .map(([name, value]) => `${name}=${shown(value)}`)
        .join("  ");
      return (
        <span className="mono soft" title={text}>
          {text}
        </span>
      );
    },
  },
];

const filters = ["bot", "user", "type"] as const;

export function AuditPage(): ReactElement {
  const search = useSearch({ from: "/shell/audit" });
  const navigate = useNavigate();
  const result = useInfiniteQuery(events(search));
  const change = useCallback(
    (name: string, value: string) =>
      void navigate({ to: "/audit", search: { ...search, [name]: value }, replace: true }),
    [navigate, search],
  );
  return (
    <>
      <h1>Audit log</h1>
      <div className="columns">
        {filters.map((name) => (
          <Search
            key={name}
            label={`Only this ${name}`}
            value={search[name]}
            onChange={(value) => change(name, value)}
          />
        ))}
      </div>
      <Panel title="Events, newest first" flush>
        <List
          label="Viewing the audit log"
          result={result}
          columns={eventColumns}
          keyOf={({ id }) => id}
          empty="No event matches."
        />
      </Panel>
    </>
  );
}
