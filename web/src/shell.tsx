import { Button, Loading } from "@tenon/ui";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useNavigate } from "@tanstack/react-router";
import { Suspense, type ReactElement } from "react";
import { call } from "./api/client.ts";
import { useLive } from "./api/live.ts";
import { viewer } from "./api/queries.ts";

import type { ViewerContext } from "./api/types.ts";

/** Everything that is behind the door: who is there, where one can go, and the page. */
export function Shell(): ReactElement {
  const { data } = useQuery(viewer);
  if (!data) return <Loading />;
  return <Inside viewer={data} />;
}

function Inside({ viewer: { user, cluster, version } }: { viewer: ViewerContext }): ReactElement {
  const up = useLive();
  return (
    <>
      {!up && (
        <p className="offline" role="status">
          The connection to the cluster is lost; what is shown may be old. Trying again …
        </p>
      )}
      <div className="shell">
        <div className="side">
          <Link to="/" className="brand">
            {cluster}
          </Link>
          <Navigation />
          <div className="who stack">
            <span>
              {user}
              <br />
              <span className="soft">Tenon {version}</span>
            </span>
            <SignOut />
          </div>
        </div>
        <main className="page">
          <Suspense fallback={<Loading />}>
            <Outlet />
          </Suspense>
        </main>
      </div>
    </>
  );
}

/** A filter does not lead elsewhere. */
const anySearch = { includeSearch: false };

const Navigation = (): ReactElement => (
  <nav aria-label="Main">
    <Link to="/bots" search={{ search: "" }} activeOptions={anySearch}>
      Bots
    </Link>
    <Link
      to="/instances"
      search={{ search: "", bot_name: "", sort: "last_active_at" }}
      activeOptions={anySearch}
    >
      Instances
    </Link>
    <Link to="/tokens">Join tokens</Link>
    <Link to="/locks">Locks</Link>
    {(["role", "user", "app", "node", "db"] as const).map((kind) => (
      <Link
        key={kind}
        to="/resources/$kind"
        params={{ kind }}
        search={{ search: "" }}
        activeOptions={anySearch}
      >
        {titles[kind]}
      </Link>
    ))}
    <Link to="/audit" search={{ bot: "", user: "", type: "" }} activeOptions={anySearch}>
      Audit log
    </Link>
    <Link to="/cluster">Cluster</Link>
  </nav>
);

export const titles: Readonly<Record<string, string>> = {
  role: "Roles",
  user: "Users",
  app: "Applications",
  node: "Nodes",
  db: "Databases",
};

function SignOut(): ReactElement {
  const navigate = useNavigate();
  const client = useQueryClient();
  const leave = async (): Promise<void> => {
    await call("DELETE", "/v1/webapi/sessions").catch(() => undefined);
    client.clear();
    await navigate({ to: "/sign-in" });
  };
  return <Button onClick={() => void leave()}>Sign out</Button>;
}
