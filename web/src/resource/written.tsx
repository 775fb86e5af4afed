import { Button, Loading, Notice, Panel } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import { useState, type ReactElement } from "react";
import { Problem } from "../api/factor.tsx";
import { Copy } from "../copy.tsx";
import { writtenOf } from "./queries.ts";

/** The document as YAML; what the server owns stands apart, for nobody can write it. */
export function WrittenPanels({ kind, id }: { kind: string; id: string }): ReactElement {
  const [secrets, setSecrets] = useState<"hidden" | "shown">("hidden");
  const { data, error, refetch } = useQuery(writtenOf(kind, id, secrets));
  if (error) return <Problem error={error} what="Viewing the YAML" retry={() => void refetch()} />;
  return (
    <>
      <Panel
        title="YAML"
        actions={
          <>
            {data?.has_secrets && (
              <Button
                look="quiet"
                onClick={() => setSecrets(secrets === "hidden" ? "shown" : "hidden")}
              >
                {secrets === "hidden" ? "Show secrets" : "Hide secrets"}
              </Button>
            )}
            {data && <Copy text={data.yaml} />}
          </>
        }
      >
        {secrets === "shown" && (
          <Notice tone="warn">
            Whoever reads this can join. It is hidden again when you leave.
          </Notice>
        )}
        {data ? <Text text={data.yaml} label="YAML" /> : <Loading />}
      </Panel>
      {data && data.status !== "" && (
        <Panel title="Status, written by the cluster">
          <Text text={data.status} label="Status" />
        </Panel>
      )}
    </>
  );
}

const Text = ({ text, label }: { text: string; label: string }): ReactElement => (
  <pre className="written" tabIndex={0} role="region" aria-label={label}>
    {text}
  </pre>
);
