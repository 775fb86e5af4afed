import { Button, Loading } from "@tenon/ui";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import {
  Suspense,
  useEffect,
  useId,
  useRef,
  useState,
  type ReactElement,
  type RefObject,
} from "react";
import { call } from "./api/client.ts";
import { Problem } from "./api/factor.tsx";
import { useLive } from "./api/live.ts";
import { useOver } from "./api/over.ts";
import { viewer } from "./api/queries.ts";
import type { ViewerContext } from "./api/types.ts";
import { DoorOver } from "./door.tsx";
import { Navigation } from "./navigation.tsx";

/** Everything that is behind the door: who is there, where one can go, and the page. */
export function Shell(): ReactElement {
  const { data, error, refetch } = useQuery(viewer);
  const { over, turn, back } = useOver(data?.user);
  if (error && !data && !over)
    return (
      <main className="door">
        <Problem error={error} what="This page" retry={() => void refetch()} />
      </main>
    );
  return (
    <>
      {over && <DoorOver why={over.why} onEntered={back} />}
      {data && (!over || over.keep) && (
        <div hidden={over !== undefined} key={turn}>
          <Inside viewer={data} active={over === undefined} />
        </div>
      )}
      {!data && !over && <Loading />}
    </>
  );
}

function Inside({ viewer, active }: { viewer: ViewerContext; active: boolean }): ReactElement {
  const { user, cluster, version } = viewer;
  const up = useLive(active);
  const page = useFocusOnArrival();
  return (
    <>
      <a className="skip" href="#page">
        Skip to the page
      </a>
      {!up && (
        <p className="offline" role="status">
          The connection to the cluster is lost; what is shown may be old. Trying again …
        </p>
      )}
      <div className="shell">
        <Side user={user} cluster={cluster} version={version} />
        <main className="page" id="page" tabIndex={-1} ref={page}>
          <Suspense fallback={<Loading />}>
            <Outlet />
          </Suspense>
        </main>
      </div>
    </>
  );
}

/** Whoever goes to another page, by a link that is not in it any more, is then in that page. */
function useFocusOnArrival(): RefObject<HTMLElement | null> {
  const page = useRef<HTMLElement>(null);
  const path = useRouterState({ select: ({ resolvedLocation }) => resolvedLocation?.pathname });
  const last = useRef(path);
  useEffect(() => {
    const moved = last.current !== undefined && last.current !== path;
    last.current = path;
    if (moved && !page.current?.contains(document.activeElement)) page.current?.focus();
  }, [path]);
  return page;
}

/** Beside the page; where there is no room, above it, and folded. */
function Side({ user, cluster, version }: Omit<ViewerContext, "roles" | "access">): ReactElement {
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
          <Link to="/account">{user}</Link>
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
