import { Badge, Button, Empty, Loading, Panel, Table, Time, type Column } from "@tenon/ui";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { Problem } from "../api/factor.tsx";
import { sessionsOf } from "../api/insight.ts";
import type { Session } from "../api/types.ts";
import { bytesText, durationText } from "../format.ts";

const columnsOf = (bot: string): readonly Column<Session>[] => [
  {
    heading: "Application",
    width: "minmax(7rem, 1fr)",
    cell: ({ app }) => (
      <Link to="/resources/$kind" params={{ kind: "app" }} search={{ search: app }}>
        {app}
      </Link>
    ),
  },
  { heading: "State", width: "minmax(11rem, 1fr)", cell: (session) => <State session={session} /> },
  { heading: "Started", width: "8rem", cell: ({ started_at }) => <Time at={started_at} /> },
  { heading: "Lasted", width: "6.5rem", number: true, cell: lasted },
  { heading: "Up", width: "5rem", number: true, cell: (each) => amount(each, each.bytes_up) },
  { heading: "Down", width: "5rem", number: true, cell: (each) => amount(each, each.bytes_down) },
  {
    heading: "Instance",
    width: "6rem",
    wide: true,
    cell: ({ instance_id: id }) =>
      id === "" ? (
        "—"
      ) : (
        <Link to="/bots/$name/instances/$id" params={{ name: bot, id }} className="mono" title={id}>
          {id.slice(0, 8)}
        </Link>
      ),
  },
  {
    heading: "From",
    width: "9rem",
    wide: true,
    cell: ({ remote_addr }) => <span title={remote_addr}>{remote_addr}</span>,
  },
  {
    heading: "Events",
    width: "4rem",
    cell: ({ id, app }) => (
      <Link
        to="/audit"
        search={{ session: id }}
        aria-label={`Show the events of this session with ${app}`}
      >
        show
      </Link>
    ),
  },
];

/** The bot's connections to applications: those that go on, then the newest. */
export function Sessions({ bot }: { bot: string }): ReactElement {
  const result = useInfiniteQuery(sessionsOf(bot));
  const { data, error, refetch, isFetching, hasNextPage, isFetchingNextPage } = result;
  const open = data?.pages[0]?.open ?? 0;
  return (
    <Panel
      title="Sessions"
      flush
      actions={
        <>
          {open > 0 && <Badge tone="good">{open.toLocaleString()} open</Badge>}
          <Button look="quiet" busy={isFetching} onClick={() => void refetch()}>
            Refresh
          </Button>
        </>
      }
    >
      <p className="aside soft">
        A bot’s sessions are not interactive: there is nothing to replay. Recorded is which
        application, when, from where, and how many bytes went each way; not what they said.
      </p>
      {error ? (
        <Problem error={error} what="Viewing sessions" retry={() => void refetch()} />
      ) : !data ? (
        <Loading />
      ) : open === 0 && data.pages[0]?.items.length === 0 ? (
        <Empty>This bot has not connected to an application yet.</Empty>
      ) : (
        <Table
          label="Sessions, those that are open first"
          columns={columnsOf(bot)}
          rows={once(data.pages.flatMap(({ items }) => items))}
          keyOf={({ id }) => id}
          more={hasNextPage && !isFetchingNextPage ? () => void result.fetchNextPage() : undefined}
        />
      )}
    </Panel>
  );
}

/** One that ended while the pages were read stands on two of them. */
const once = (sessions: readonly Session[]): readonly Session[] =>
  [...new Map(sessions.toReversed().map((session) => [session.id, session])).values()].toReversed();

function State({ session: { state, reason } }: { session: Session }): ReactElement {
  if (state === "open") return <Badge tone="good">open</Badge>;
  if (state === "lost")
    return (
      <span className="soft" title="The cluster stopped before it could record the end.">
        end not recorded
      </span>
    );
  if (reason === "") return <span>ended</span>;
  return <Badge tone="warn">{reasons[reason] ?? reason}</Badge>;
}

/** Codes of errors, as people say them. */
const reasons: Readonly<Record<string, string>> = {
  access_denied: "cut: no longer allowed",
  unavailable: "connection lost",
  canceled: "cluster stopped",
};

function lasted({ state, started_at, ended_at }: Session): string {
  if (state === "lost") return "—";
  const end = state === "open" ? Date.now() : Date.parse(ended_at);
  return durationText(end - Date.parse(started_at));
}

const amount = ({ state }: Session, bytes: number): string =>
  state === "lost" ? "—" : bytesText(bytes);
