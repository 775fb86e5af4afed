import { Facts, Loading, Panel, Time, Title } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { Alerts } from "../alerts.tsx";
import { Problem } from "../api/factor.tsx";
import { clusterStatus } from "../api/queries.ts";
import type { ClusterStatus } from "../api/types.ts";
import { Authorities } from "../cluster/authorities.tsx";
import { Settings } from "../cluster/settings.tsx";
import { Copy } from "../copy.tsx";
import { wordsOf } from "../kinds.ts";
import { listOf } from "../resource/links.tsx";

export function ClusterPage(): ReactElement {
  const { data, error, refetch } = useQuery(clusterStatus);
  return (
    <>
      <Title text={data?.cluster ?? "Cluster"} />
      <Alerts />
      {error ? (
        <Problem error={error} what="Viewing the cluster" retry={() => void refetch()} />
      ) : !data ? (
        <Loading />
      ) : (
        <Status status={data} />
      )}
      <Settings />
    </>
  );
}

const Status = ({ status }: { status: ClusterStatus }): ReactElement => (
  <>
    <div className="columns">
      <Panel title="Cluster">
        <Facts
          items={[
            ["Version", status.version],
            ["Address", status.proxy_public_addr],
            ["Running since", <Time key="since" at={status.started_at} />],
            [
              "CA pin",
              <span key="pin" className="row">
                <span className="mono">{status.ca_pins.join(" ")}</span>
                <Copy text={status.ca_pins.join(" ")} />
              </span>,
            ],
            ...(status.resync_until === ""
              ? []
              : [["Resync window", <Time key="resync" at={status.resync_until} />] as const]),
          ]}
        />
      </Panel>
      <Panel title="What it holds">
        <Facts
          items={Object.entries(status.counts)
            .filter(([, count]) => count > 0)
            .map(([kind, count]) => [
              wordsOf(kind).many,
              <Count key={kind} {...{ kind, count }} />,
            ])}
        />
      </Panel>
    </div>
    <Authorities authorities={status.authorities} />
  </>
);

/** So many, which leads to them. */
const Count = ({ kind, count }: { kind: string; count: number }): ReactElement => (
  <Link {...listOf(kind)}>{count.toLocaleString()}</Link>
);
