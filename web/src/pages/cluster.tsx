import { Badge, Button, Empty, Facts, Loading, Panel, Table, Time, type Column } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import type { ReactElement, ReactNode } from "react";
import { Alerts } from "../alerts.tsx";
import { useForbidden } from "../api/access.ts";
import { Problem } from "../api/factor.tsx";
import { clusterStatus } from "../api/queries.ts";
import type { AuthorityStatus, ClusterStatus } from "../api/types.ts";
import { Copy } from "../copy.tsx";
import { text, words } from "../forms/parts.tsx";
import { fieldOf, wordsOf } from "../kinds.ts";
import { listOf } from "../resource/links.tsx";
import { documentOf } from "../resource/queries.ts";

export function ClusterPage(): ReactElement {
  const { data, error, refetch } = useQuery(clusterStatus);
  return (
    <>
      <h1>{data?.cluster ?? "Cluster"}</h1>
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
    <Panel title="Authorities" flush>
      <Table
        label="Authorities"
        columns={authorities}
        rows={status.authorities}
        keyOf={({ type }) => type}
      />
    </Panel>
  </>
);

/** So many, which leads to them. */
const Count = ({ kind, count }: { kind: string; count: number }): ReactElement => (
  <Link {...listOf(kind)}>{count.toLocaleString()}</Link>
);

const authorities: readonly Column<AuthorityStatus>[] = [
  {
    heading: "Authority",
    width: "10rem",
    value: ({ type }) => type,
    cell: ({ type }) => (
      <Link
        to="/resources/$kind/$name"
        params={{ kind: "cert_authority", name: type }}
        search={{ view: "" }}
      >
        {type}
      </Link>
    ),
  },
  { heading: "Rotation", width: "2fr", value: ({ phase }) => phase, cell: rotationOf },
  {
    heading: "Keys end",
    wide: true,
    width: "8rem",
    cell: ({ not_after }) => <Time at={not_after} none="—" />,
  },
  {
    heading: "Fingerprint",
    wide: true,
    width: "2fr",
    cell: ({ fingerprint }) => (
      <span className="mono" title={fingerprint}>
        {fingerprint}
      </span>
    ),
  },
];

function rotationOf({ phase, rotation }: AuthorityStatus): ReactNode {
  if (!rotation) return <span className="soft">{phase}</span>;
  return (
    <>
      <Badge tone="warn">{phase}</Badge>{" "}
      <span className="soft">
        {rotation.next_phase_at === "" ? (
          "goes on by hand"
        ) : (
          <>
            next <Time at={rotation.next_phase_at} />
          </>
        )}
        {rotation.behind > 0 && `; ${rotation.behind} connected are behind`}
      </span>
    </>
  );
}

function Settings(): ReactElement {
  const may = useForbidden();
  const unseen = may("cluster_config", "read");
  const { data, error, refetch } = useQuery({
    ...documentOf("cluster_config", "cluster"),
    enabled: unseen === undefined,
  });
  const navigate = useNavigate();
  const forbidden = may("cluster_config", "update");
  const edit = (): void =>
    void navigate({
      to: "/resources/$kind/$name",
      params: { kind: "cluster_config", name: "cluster" },
      search: { view: "form" },
    });
  return (
    <Panel
      title="Settings"
      actions={
        <Button look="quiet" forbidden={forbidden} onClick={edit}>
          Edit
        </Button>
      }
    >
      {unseen !== undefined ? (
        <p className="soft">You may not see them: {unseen}.</p>
      ) : error ? (
        <Problem error={error} what="Viewing the settings" retry={() => void refetch()} />
      ) : !data ? (
        <Loading />
      ) : Object.keys(data.spec).length === 0 ? (
        <Empty>Nothing is set.</Empty>
      ) : (
        <Facts
          items={Object.entries(data.spec).map(([name, value]) => [
            fieldOf(name),
            Array.isArray(value) ? words(value).join(", ") || "none" : text(value),
          ])}
        />
      )}
    </Panel>
  );
}
