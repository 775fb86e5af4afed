import { Notice } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useAllowed } from "./api/access.ts";
import { clusterAlerts } from "./api/queries.ts";
import type { ClusterAlert } from "./api/types.ts";
import { ResourceLink, linkable } from "./resource/links.tsx";

function useAlerts(): readonly ClusterAlert[] {
  const enabled = useAllowed("status", "read");
  return useQuery({ ...clusterAlerts, enabled }).data ?? [];
}

/** What somebody should look at now, each with the way to act on it. */
export function Alerts(): ReactElement | null {
  const data = useAlerts();
  return (
    <>
      {data.map((alert) => (
        <Notice
          key={`${alert.type} ${alert.subject}`}
          tone={alert.severity === "warning" ? "warn" : "soft"}
        >
          <p>
            <strong>
              <Subject subject={alert.subject} />
            </strong>
            : <bdi>{alert.message}</bdi>
          </p>
          <WayOut alert={alert} />
        </Notice>
      ))}
    </>
  );
}

/** `kind/name`, or "cluster". */
function Subject({ subject }: { subject: string }): ReactElement {
  const { kind, name } = partsOf(subject);
  return linkable.has(kind) ? <ResourceLink kind={kind} name={name} /> : <bdi>{subject}</bdi>;
}

function WayOut({ alert: { type, subject } }: { alert: ClusterAlert }): ReactElement | null {
  const { kind, name } = partsOf(subject);
  if (type !== "recoveries_low" || kind !== "token") return null;
  return (
    <Link className="button" to="/tokens/$name" params={{ name }} search={{ view: "form" }}>
      Allow more recoveries
    </Link>
  );
}

function partsOf(subject: string): { kind: string; name: string } {
  const at = subject.indexOf("/");
  return at < 0
    ? { kind: subject, name: "" }
    : { kind: subject.slice(0, at), name: subject.slice(at + 1) };
}

/** How many there are, beside the link to them; nothing where the viewer may not know. */
export function AlertCount(): ReactElement | null {
  const data = useAlerts();
  const warnings = data.filter(({ severity }) => severity === "warning");
  if (warnings.length === 0) return null;
  const words = warnings.length === 1 ? "one alert" : `${warnings.length} alerts`;
  return (
    <span className="count" role="img" aria-label={words} title={words}>
      {warnings.length}
    </span>
  );
}
