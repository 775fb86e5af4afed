import { Loading, Panel } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { Problem } from "../api/factor.tsx";
import { writtenOf } from "./queries.ts";

export function ResourcePage(): ReactElement {
  const { kind, name } = useParams({ from: "/shell/resources/$kind/$name" });
  return <Resource kind={kind} name={name} />;
}

/** A join token has an address of its own, as its bot's page links to it. */
export function TokenPage(): ReactElement {
  const { name } = useParams({ from: "/shell/tokens/$name" });
  return <Resource kind="token" name={name} />;
}

function Resource({ kind, name }: { kind: string; name: string }): ReactElement {
  const { data, error, refetch } = useQuery(writtenOf(kind, name, "hidden"));
  return (
    <>
      <h1>{data?.name ?? name}</h1>
      {error ? (
        <Problem error={error} what="Viewing this" retry={() => void refetch()} />
      ) : !data ? (
        <Loading />
      ) : (
        <Panel title="YAML">
          <pre>{data.yaml}</pre>
        </Panel>
      )}
    </>
  );
}
