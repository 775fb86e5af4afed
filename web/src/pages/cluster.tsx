import { Facts, Loading, Notice, Panel, Table, Time, type Column } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { Problem } from "../api/factor.tsx";
import { clusterAlerts, clusterStatus } from "../api/queries.ts";
import type { ClusterStatus } from "../api/types.ts";

const authorities: readonly Column<ClusterStatus["authorities"][number]>[] = [
  { heading: "Authority", width: "10rem", cell: ({ type }) => type },
  { heading: "Rotation", width: "9rem", cell: ({ phase }) => phase },
  {
    heading: "Fingerprint",
    width: "1fr",
    cell: ({ fingerprint }) => <span className="mono">{fingerprint}</span>,
  },
];

export function ClusterPage(): ReactElement {
  const { data, error, refetch } = useQuery(clusterStatus);
  const alerts = useQuery(clusterAlerts);
  if (error)
    return <Problem error={error} what="Viewing the cluster" retry={() => void refetch()} />;
  if (!data) return <Loading />;
  return (
    <>
      <h1>{data.cluster}</h1>
      {alerts.data?.map(({ subject, message }) => (
        <Notice key={`${subject} ${message}`} tone="warn">
          <p>
            <strong>{subject}</strong>: {message}
          </p>
        </Notice>
      ))}
      <div className="columns">
        <Panel title="Cluster">
          <Facts
            items={[
              ["Version", data.version],
              ["Address", data.proxy_public_addr],
              ["Running since", <Time key="since" at={data.started_at} />],
              [
                "CA pin",
                <span key="pin" className="mono">
                  {data.ca_pins.join(" ")}
                </span>,
              ],
            ]}
          />
        </Panel>
        <Panel title="What it holds">
          <Facts items={Object.entries(data.counts).map(([kind, count]) => [kind, count])} />
        </Panel>
      </div>
      <Panel title="Authorities" flush>
        <Table
          label="Authorities"
          columns={authorities}
          rows={data.authorities}
          keyOf={({ type }) => type}
        />
      </Panel>
    </>
  );
}
