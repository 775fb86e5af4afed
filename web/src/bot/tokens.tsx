import { Empty, Loading, Panel, Time } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { Problem } from "../api/factor.tsx";
import { tokensOf } from "../api/queries.ts";

/** Asked for without a challenge first: whoever must verify is told why before being asked. */
export function JoinTokens({ bot }: { bot: string }): ReactElement {
  const { data, error, refetch } = useQuery(tokensOf(bot));
  return (
    <Panel
      title="Join tokens"
      actions={
        <Link className="button quiet" to="/tokens">
          All tokens
        </Link>
      }
    >
      {error ? (
        <Problem error={error} what="Viewing join tokens" retry={() => void refetch()} />
      ) : !data ? (
        <Loading />
      ) : data.length === 0 ? (
        <Empty>No machine can join as this bot: it has no join token.</Empty>
      ) : (
        <ul className="stack">
          {data.map(({ name, join_method, expires }) => (
            <li key={name} className="row apart">
              <span className="mono">{name}</span>
              <span className="soft">
                {join_method}
                {expires !== "" && (
                  <>
                    , ends <Time at={expires} />
                  </>
                )}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
