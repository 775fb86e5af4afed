import { Button, Loading } from "@tenon/ui";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useNavigate } from "@tanstack/react-router";
import { Suspense, useId, useState, type ReactElement } from "react";
import { call } from "./api/client.ts";
import { useLive } from "./api/live.ts";
import { viewer } from "./api/queries.ts";
import type { ViewerContext } from "./api/types.ts";
import { Navigation } from "./navigation.tsx";

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
        <Side user={user} cluster={cluster} version={version} />
        <main className="page">
          <Suspense fallback={<Loading />}>
            <Outlet />
          </Suspense>
        </main>
      </div>
    </>
  );
}

/** Beside the page; where there is no room, above it, and folded. */
function Side({
  user,
  cluster,
  version,
}: Omit<ViewerContext, "roles" | "access" | "features">): ReactElement {
  const [open, setOpen] = useState(false);
  const id = useId();
  return (
    <div className={open ? "side open" : "side"}>
      <div className="row apart">
        <Link to="/" className="brand">
          {cluster}
        </Link>
        <button
          type="button"
          className="button fold"
          aria-expanded={open}
          aria-controls={id}
          onClick={() => setOpen(!open)}
        >
          Menu
        </button>
      </div>
      <Navigation id={id} onGo={() => setOpen(false)} />
      <div className="who row apart">
        <span>
          {user}
          <br />
          <span className="soft">Tenon {version}</span>
        </span>
        <SignOut />
      </div>
    </div>
  );
}

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
