import { Empty, Facts, Loading, Notice, Panel, Table, Time, type Column } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { Problem } from "../api/factor.tsx";
import { instanceOf } from "../api/queries.ts";
import type { Authentication, InstanceDetails, ServiceHealth } from "../api/types.ts";
import { Health } from "../health.tsx";

const joins: readonly Column<Authentication>[] = [
  { heading: "Time", width: "9rem", cell: ({ time }) => <Time at={time} /> },
  { heading: "Method", width: "1fr", cell: ({ join_method }) => join_method },
  { heading: "From", width: "1fr", cell: ({ remote_addr }) => remote_addr },
  { heading: "Kind", width: "7rem", cell: ({ recovery }) => (recovery ? "recovery" : "refresh") },
  { heading: "Generation", width: "6rem", number: true, cell: ({ generation }) => generation },
];

const services: readonly Column<ServiceHealth>[] = [
  { heading: "Service", width: "1fr", cell: ({ name }) => name },
  { heading: "Type", width: "1fr", cell: ({ type }) => type },
  { heading: "State", width: "8rem", cell: ({ status }) => <Health state={status} /> },
  { heading: "Why", width: "2fr", cell: ({ reason = "" }) => <span title={reason}>{reason}</span> },
  { heading: "Since", width: "8rem", cell: ({ updated_at }) => <Time at={updated_at} /> },
];

export function InstancePage(): ReactElement {
  const { name, id } = useParams({ from: "/shell/bots/$name/instances/$id" });
  const { data, error, refetch } = useQuery(instanceOf(name, id));
  if (error)
    return <Problem error={error} what="Viewing an instance" retry={() => void refetch()} />;
  if (!data) return <Loading />;
  return <Details details={data} />;
}

function Details({ details: { summary, document } }: { details: InstanceDetails }): ReactElement {
  const { status, spec } = document;
  const beat = status?.latest_heartbeats.at(-1);
  return (
    <>
      <h1 className="mono">{summary.instance_id}</h1>
      {status?.notices.map((notice) => (
        <Notice key={notice} tone="warn">
          {notice}
        </Notice>
      ))}
      <div className="columns">
        <Panel title="Instance">
          <Facts
            items={[
              [
                "Bot",
                <Link key="bot" to="/bots/$name" params={{ name: summary.bot_name }}>
                  {summary.bot_name}
                </Link>,
              ],
              ["Last active", <Time key="active" at={summary.last_active_at} />],
              [
                "Before its last recovery",
                <span key="previous" className="mono">
                  {spec.previous_instance_id ?? "—"}
                </span>,
              ],
              ["Generation", summary.generation],
            ]}
          />
        </Panel>
        <Panel title="Machine">
          <Facts
            items={[
              ["Host", summary.hostname || "—"],
              ["System", beat ? `${beat.os}, ${beat.architecture}` : "—"],
              ["tbot", beat?.version ?? "—"],
              ["Heard", <Time key="beat" at={beat?.time ?? ""} />],
            ]}
          />
        </Panel>
      </div>
      <Panel title="Services" flush>
        {status?.service_health.length ? (
          <Table
            label="Services"
            columns={services}
            rows={status.service_health}
            keyOf={({ name }) => name}
          />
        ) : (
          <Empty>It has not reported yet.</Empty>
        )}
      </Panel>
      <Panel title="Joins, newest first" flush>
        <Table
          label="Joins"
          columns={joins}
          rows={status?.latest_authentications.toReversed() ?? []}
          keyOf={({ generation, time }) => `${generation} ${time}`}
        />
      </Panel>
      {beat?.configuration && (
        <Panel title="Effective configuration, without secrets">
          <pre>{beat.configuration}</pre>
        </Panel>
      )}
    </>
  );
}
