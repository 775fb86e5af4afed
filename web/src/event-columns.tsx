import { Badge, Time, type Column } from "@tenon/ui";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import type { AuditEvent } from "./api/types.ts";

export const shownValue = (value: unknown): string =>
  typeof value === "string" ? value : JSON.stringify(value);

/** Its type, which leads to all that is known of it. */
const EventLink = ({ event: { id, type, code } }: { event: AuditEvent }): ReactElement => (
  <Link to="/audit/$id" params={{ id }} className="mono">
    {code === "failure" ? <Badge tone="bad">{type}</Badge> : type}
  </Link>
);

/** What it tells beside who and when, in one line. */
function What({ event: { fields } }: { event: AuditEvent }): ReactElement {
  const text = Object.entries(fields)
    .map(([name, value]) => `${name}=${shownValue(value)}`)
    .join("  ");
  return (
    <span className="mono soft" title={text}>
      {text}
    </span>
  );
}

const rest: readonly Column<AuditEvent>[] = [
  { heading: "Event", width: "12.5rem", cell: (event) => <EventLink event={event} /> },
  { heading: "By", width: "8rem", cell: ({ actor }) => actor.name || actor.kind },
  {
    heading: "What",
    width: "minmax(9rem, 1fr)",
    wide: true,
    cell: (event) => <What event={event} />,
  },
];

/** Beside what else a page shows of a bot. */
export const eventColumns = [
  { heading: "Time", width: "8rem", cell: ({ time }: AuditEvent) => <Time at={time} /> },
  ...rest,
];

const time = {
  month: "short",
  day: "numeric",
  hour: "numeric",
  minute: "2-digit",
  second: "2-digit",
} as const;
const thisYear = new Intl.DateTimeFormat(undefined, time);
const otherYear = new Intl.DateTimeFormat(undefined, { ...time, year: "numeric" });

function exactly(at: string): string {
  const date = new Date(at);
  const isThis = date.getFullYear() === new Date().getFullYear();
  return (isThis ? thisYear : otherYear).format(date);
}

/** Where one looks for when something was. */
export const logColumns = [
  {
    heading: "Time",
    width: "11rem",
    cell: ({ time }: AuditEvent) => <time dateTime={time}>{exactly(time)}</time>,
  },
  ...rest,
];
