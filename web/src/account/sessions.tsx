import { Badge, Button, Loading, Panel, Table, Time, type Column } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import { useState, type ReactElement } from "react";
import { useAct } from "../act.ts";
import { call } from "../api/client.ts";
import { Problem } from "../api/factor.tsx";
import { tellOver } from "../api/over.ts";
import { ChangeDialog } from "../change-dialog.tsx";
import { ACCOUNT, sessions, type OpenSession } from "./queries.ts";

interface Ending {
  readonly what: string;
  readonly path: string;
  /** This session ends too. */
  readonly own: boolean;
}

const others: Ending = { what: "everywhere else", path: `${ACCOUNT}/sessions`, own: false };
const everywhere: Ending = { what: "everywhere", path: "/v1/webapi/sessions/all", own: true };
const there = ({ id, browser, remote_addr }: OpenSession): Ending => ({
  what: `of ${browser} at ${remote_addr}`,
  path: `${ACCOUNT}/sessions/${id}`,
  own: false,
});

export function Sessions(): ReactElement {
  const { data, error, refetch } = useQuery(sessions);
  const [ending, setEnding] = useState<Ending>();
  const columns = columnsOf((session) => setEnding(there(session)));
  return (
    <Panel
      title="Where you are signed in"
      flush
      actions={
        <>
          <Button onClick={() => setEnding(others)}>Sign out everywhere else</Button>
          <Button look="danger" onClick={() => setEnding(everywhere)}>
            Sign out everywhere
          </Button>
        </>
      }
    >
      {error ? (
        <Problem error={error} what="Your sessions" retry={() => void refetch()} />
      ) : !data ? (
        <Loading />
      ) : (
        <Table label="Sessions" columns={columns} rows={data} keyOf={({ id }) => id} />
      )}
      {ending && <End ending={ending} onClose={() => setEnding(undefined)} />}
    </Panel>
  );
}

function End({ ending, onClose }: { ending: Ending; onClose: () => void }): ReactElement {
  const { what, path, own } = ending;
  const end = async (): Promise<void> => {
    await call("DELETE", path);
    if (own) tellOver("you signed out everywhere");
  };
  const act = useAct("account", end, onClose);
  return (
    <ChangeDialog title={`Sign out ${what}`} action="Sign out" danger act={act} onClose={onClose}>
      <p>What is open there ends at once. Nothing else changes.</p>
    </ChangeDialog>
  );
}

const columnsOf = (end: (session: OpenSession) => void): readonly Column<OpenSession>[] => [
  {
    heading: "Browser",
    width: "minmax(6rem, 2fr)",
    cell: ({ browser, agent, current }) => (
      <span title={agent}>
        {browser} {current && <Badge tone="good">this one</Badge>}
      </span>
    ),
    value: ({ browser }) => browser,
  },
  {
    heading: "Address",
    width: "minmax(7rem, 1fr)",
    cell: ({ remote_addr }) => <span className="mono">{remote_addr}</span>,
    value: ({ remote_addr }) => remote_addr,
    wide: true,
  },
  {
    heading: "Since",
    width: "8rem",
    cell: ({ began }) => <Time at={began} />,
    value: ({ began }) => began,
    downFirst: true,
    wide: true,
  },
  {
    heading: "Last used",
    width: "8rem",
    cell: ({ used }) => <Time at={used} />,
    value: ({ used }) => used,
    downFirst: true,
  },
  {
    heading: "Sign out",
    width: "6.5rem",
    cell: (session) =>
      session.current ? null : (
        <Button look="quiet" onClick={() => end(session)}>
          Sign out
        </Button>
      ),
  },
];
