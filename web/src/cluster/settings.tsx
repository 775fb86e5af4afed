import { Button, Empty, Facts, Loading, Panel } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useForbidden } from "../api/access.ts";
import { Problem } from "../api/factor.tsx";
import { text, words } from "../values.ts";
import { fieldOf } from "../kinds.ts";
import { documentOf } from "../resource/queries.ts";

/** Of the whole cluster: its one document of kind cluster_config. */
export function Settings(): ReactElement {
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
