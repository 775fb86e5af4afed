import { Empty, Panel, Table, Time, type Column } from "@tenon/ui";
import type { ReactElement } from "react";
import type { Authentication, Heartbeat, InstanceStatus, ServiceHealth } from "../api/types.ts";
import { durationText } from "../format.ts";
import { Health } from "../health.tsx";

const joins: readonly Column<Authentication & { readonly kind: string }>[] = [
  { heading: "Time", width: "9rem", cell: ({ time }) => <Time at={time} /> },
  { heading: "Method", width: "1fr", cell: ({ join_method }) => join_method },
  { heading: "From", width: "1fr", wide: true, cell: ({ remote_addr }) => remote_addr },
  { heading: "Kind", width: "6rem", cell: ({ kind }) => kind },
  {
    heading: "Credentials end",
    width: "9rem",
    wide: true,
    cell: ({ expires = "" }) => <Time at={expires} none="—" />,
  },
  {
    heading: "Generation",
    width: "6rem",
    number: true,
    wide: true,
    cell: ({ generation }) => generation,
  },
];

const beats: readonly Column<Heartbeat>[] = [
  { heading: "Time", width: "9rem", cell: ({ time }) => <Time at={time} /> },
  { heading: "Host", width: "1fr", cell: ({ hostname }) => hostname },
  { heading: "Version", width: "6rem", cell: ({ version }) => version },
  {
    heading: "System",
    width: "1fr",
    wide: true,
    cell: ({ os, architecture }) => `${os}, ${architecture}`,
  },
  {
    heading: "Up for",
    width: "8rem",
    wide: true,
    cell: ({ uptime_seconds }) => durationText(uptime_seconds * 1_000),
  },
  {
    heading: "Kind",
    width: "8rem",
    wide: true,
    cell: ({ kind, one_shot }) => (one_shot ? `${kind}, one shot` : kind),
  },
];

const services: readonly Column<ServiceHealth>[] = [
  { heading: "Service", width: "1fr", cell: ({ name }) => name },
  { heading: "Type", width: "1fr", wide: true, cell: ({ type }) => type },
  { heading: "State", width: "8rem", cell: ({ status }) => <Health state={status} /> },
  {
    heading: "Why",
    width: "2fr",
    wide: true,
    cell: ({ reason = "" }) => <span title={reason}>{reason}</span>,
  },
  { heading: "Since", width: "8rem", cell: ({ updated_at }) => <Time at={updated_at} /> },
];

interface RecordsProps<Row> {
  readonly title: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly none: string;
}

function Records<Row extends object>(about: RecordsProps<Row>): ReactElement {
  const { title, none, ...table } = about;
  return (
    <Panel title={title} flush>
      {table.rows.length > 0 ? <Table label={title} {...table} /> : <Empty>{none}</Empty>}
    </Panel>
  );
}

/** What an instance said of itself, and how it came in: the latest ten of each. */
export const InstanceRecords = ({
  status,
  isFirst,
}: {
  status: InstanceStatus;
  /** It came from no other instance by a recovery. */
  isFirst: boolean;
}): ReactElement => (
  <>
    <Records
      title="Services"
      columns={services}
      rows={status.service_health}
      keyOf={({ name }) => name}
      none="It has not reported yet."
    />
    <Records
      title="Joins, newest first"
      columns={joins}
      rows={status.latest_authentications
        .map((join) => ({ ...join, kind: kindOf(join, isFirst) }))
        .toReversed()}
      keyOf={({ generation, time }) => `${generation} ${time}`}
      none="It has not joined."
    />
    <Records
      title="Heartbeats, newest first"
      columns={beats}
      rows={status.latest_heartbeats.toReversed()}
      keyOf={({ time, uptime_seconds }) => `${time} ${uptime_seconds}`}
      none="It has not been heard of since it joined."
    />
  </>
);

const kindOf = ({ recovery }: Authentication, isFirst: boolean): string => {
  if (!recovery) return "refresh";
  return isFirst ? "first join" : "recovery";
};
