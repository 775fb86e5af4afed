import { Facts, Loading, Panel, Table, Time, type Column } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { Problem } from "../api/factor.tsx";
import type { Document } from "../api/types.ts";
import { text } from "../values.ts";
import type { FactsProps } from "./facts.tsx";
import { Openers } from "./openable.tsx";
import { commonFacts } from "./plain.tsx";
import { appName } from "./title.ts";
import { withField } from "./queries.ts";

export const AppFacts = ({ document }: FactsProps): ReactElement => (
  <>
    <div className="columns">
      <Panel title="The application">
        <Facts
          items={[
            [
              "Agent",
              <bdi key="agent" className="mono">
                {text(document.spec["host_id"])}
              </bdi>,
            ],
            ["Address", <bdi key="uri">{text(document.spec["uri"])}</bdi>],
            [
              "Served as",
              <bdi key="as">
                {text(document.spec["public_addr"]) || "its name, under the cluster's"}
              </bdi>,
            ],
            ...commonFacts({ document }),
          ]}
        />
      </Panel>
      <Openers document={document} />
    </div>
    <Agents app={appName(document)} />
  </>
);

const columns: readonly Column<Document>[] = [
  {
    heading: "Agent",
    width: "2fr",
    value: ({ spec }) => text(spec["host_id"]),
    cell: ({ spec }) => <span className="mono">{text(spec["host_id"])}</span>,
  },
  { heading: "Reaches it at", width: "2fr", cell: ({ spec }) => <bdi>{text(spec["uri"])}</bdi> },
  {
    heading: "Announced until",
    wide: true,
    width: "10rem",
    cell: ({ metadata }) => <Time at={metadata.expires ?? ""} none="—" />,
  },
];

function Agents({ app }: { app: string }): ReactElement {
  const { data, error, refetch } = useQuery(withField("app", "app", app));
  return (
    <Panel title="Agents that serve it now" flush>
      {error ? (
        <Problem error={error} what="Viewing agents" retry={() => void refetch()} />
      ) : !data ? (
        <Loading />
      ) : (
        <Table
          label="Agents"
          columns={columns}
          rows={data.items}
          keyOf={({ metadata }) => metadata.name}
        />
      )}
    </Panel>
  );
}
