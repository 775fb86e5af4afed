import { Notice, Time } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useAllowed } from "../api/access.ts";
import type { Document } from "../api/types.ts";
import { text } from "../values.ts";
import { locksOnTargets } from "./queries.ts";
import { isSecretName } from "./title.ts";

/** The kinds that a lock can name, and how it names them: of an application, the agent that serves it. */
export function lockTargetOf(
  document: Document,
): readonly [target: string, name: string] | undefined {
  const { kind, metadata } = document;
  if (kind === "user" || kind === "role") return [kind, metadata.name];
  if (kind === "token" && !isSecretName(document)) return ["join_token", metadata.name];
  if (kind === "app") return ["server_id", text(document.spec["host_id"])];
  return undefined;
}

/** What cuts it off now, and where to take that back. */
export function LockNotices({ document }: { document: Document }): ReactElement | null {
  const target = lockTargetOf(document);
  return target ? <Held target={target.join(":")} /> : null;
}

/** What holds now on `kind:name`. */
export function Held({ target }: { target: string }): ReactElement | null {
  const enabled = useAllowed("lock", "list");
  const { data = [] } = useQuery({ ...locksOnTargets([target]), enabled });
  if (data.length === 0) return null;
  return (
    <>
      {data.map(({ name, message, expires, created_by }) => (
        <Notice key={name} tone="bad">
          <p>
            Locked{created_by && ` by ${created_by}`}: <bdi>{message || "no message"}</bdi>
            {expires && (
              <>
                {" "}
                (ends <Time at={expires} />)
              </>
            )}
          </p>
          <Link
            className="button"
            to="/resources/$kind/$name"
            params={{ kind: "lock", name }}
            search={{ view: "" }}
          >
            Show the lock
          </Link>
        </Notice>
      ))}
    </>
  );
}
