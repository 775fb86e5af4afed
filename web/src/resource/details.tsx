import { Badge, Loading, Notice, Title } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useForbidden } from "../api/access.ts";
import { Problem } from "../api/factor.tsx";
import { wordsOf } from "../kinds.ts";
import { Actions } from "./actions.tsx";
import { factsOf } from "./facts.tsx";
import { LockNotices } from "./locked.tsx";
import { listOf } from "./links.tsx";
import type { ResourceProps } from "./page.tsx";
import { documentOf } from "./queries.ts";
import { titleOf } from "./title.ts";
import { WrittenPanels } from "./written.tsx";
import "./resource.css";

/** What one document says, in words first, and then as it is written. */
export function Details({ kind, id, onView }: ResourceProps): ReactElement {
  const forbidden = useForbidden()(kind, "read");
  const allowed = forbidden === undefined;
  const { data, error, refetch } = useQuery({ ...documentOf(kind, id), enabled: allowed });
  const { many, one } = wordsOf(kind);
  const Facts = factsOf(kind);
  return (
    <>
      <div className="row apart">
        <div className="stack tight">
          <nav aria-label="Where this is" className="soft small">
            <ListLink kind={kind} many={many} />
          </nav>
          <div className="row">
            <Title text={data ? titleOf(data) : id.startsWith("~") ? "…" : id} />
            <Badge tone="soft">{one}</Badge>
          </div>
        </div>
        {data && <Actions document={data} id={id} onView={onView} />}
      </div>
      {!allowed ? (
        <Notice tone="soft">You may not see this: {forbidden}.</Notice>
      ) : error ? (
        <Problem error={error} what={`Viewing this ${one}`} retry={() => void refetch()} />
      ) : !data ? (
        <Loading />
      ) : (
        <>
          <LockNotices document={data} />
          <Facts document={data} />
          <WrittenPanels kind={kind} id={id} />
        </>
      )}
    </>
  );
}

const ListLink = ({ kind, many }: { kind: string; many: string }): ReactElement =>
  kind === "cluster_config" || kind === "cert_authority" ? (
    <Link to="/cluster">Cluster</Link>
  ) : (
    <Link {...listOf(kind)}>{many}</Link>
  );
