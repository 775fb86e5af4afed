import { Empty, Loading, Menu, Panel, Time } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useForbidden } from "../api/access.ts";
import { Problem } from "../api/factor.tsx";
import { tokensOf } from "../api/queries.ts";
import type { Token } from "../api/types.ts";

/** Asked for without a challenge first: whoever must verify is told why before being asked. */
export function JoinTokens({ bot }: { bot: string }): ReactElement {
  const { data, error, refetch } = useQuery(tokensOf(bot));
  const navigate = useNavigate();
  const all = { text: "All join tokens", onAct: () => void navigate({ to: "/tokens" }) };
  const again = { text: "Refresh", onAct: () => void refetch() };
  const forbidden = useForbidden()("token", "create");
  const add = {
    text: "New join token",
    forbidden,
    onAct: () =>
      void navigate({
        to: "/create/$kind",
        params: { kind: "token" },
        search: { view: "", bot },
      }),
  };
  return (
    <Panel
      title="Join tokens"
      actions={<Menu label="More about tokens" entries={[again, add, all]} />}
    >
      {error ? (
        <Problem error={error} what="Viewing join tokens" retry={() => void refetch()} />
      ) : !data ? (
        <Loading />
      ) : data.length === 0 ? (
        <Empty>No machine can join as this bot: it has no join token.</Empty>
      ) : (
        <ul className="stack">
          {data.map((token) => (
            <Item key={token.name} token={token} />
          ))}
        </ul>
      )}
    </Panel>
  );
}

/** The name of a token of method `token` is its secret: it is shown masked, and leads nowhere. */
const Item = ({ token: { name, join_method, expires } }: { token: Token }): ReactElement => (
  <li className="row apart">
    {join_method === "token" ? (
      <span className="mono">{name}</span>
    ) : (
      <Link className="mono" to="/tokens/$name" params={{ name }} search={{ view: "" }}>
        {name}
      </Link>
    )}
    <span className="soft">
      {join_method}
      {expires !== "" && (
        <>
          , ends <Time at={expires} />
        </>
      )}
    </span>
  </li>
);
