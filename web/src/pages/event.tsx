import { Badge, ExactTime, Facts, Loading, Panel, Title } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import type { ReactElement, ReactNode } from "react";
import { eventOf } from "../api/events.ts";
import { Problem } from "../api/factor.tsx";
import type { AuditEvent } from "../api/types.ts";
import { Copy } from "../copy.tsx";
import { shownValue } from "../event-columns.tsx";

/** One event of the audit log, at an address of its own. */
export function EventPage(): ReactElement {
  const { id } = useParams({ from: "/shell/audit/$id" });
  const { data, error, refetch } = useQuery(eventOf(id));
  if (error) return <Problem error={error} what="Viewing an event" retry={() => void refetch()} />;
  if (!data) return <Loading />;
  return <Details event={data} />;
}

function Details({ event }: { event: AuditEvent }): ReactElement {
  const { type, code, time, remote_addr, fields, id } = event;
  const json = JSON.stringify(event, undefined, 2);
  const entries = Object.entries(fields);
  return (
    <>
      <div className="row">
        <Title text={type} mono />
        <Badge tone={code === "failure" ? "bad" : "good"}>{code}</Badge>
      </div>
      <div className="columns">
        <Panel title="Event">
          <Facts
            items={[
              ["Time", <ExactTime key="time" at={time} />],
              ["By", <Who key="by" event={event} />],
              ["From", remote_addr || "the cluster itself"],
              ["Id", <code key="id">{id}</code>],
            ]}
          />
        </Panel>
        <Panel title="What it says">
          {entries.length === 0 ? (
            <span className="soft">Nothing more than its type.</span>
          ) : (
            <Facts
              items={entries.map(([name, value]) => [
                name,
                <Value key={name} {...{ name, value }} />,
              ])}
            />
          )}
        </Panel>
      </div>
      <Panel title="As JSON" actions={<Copy text={json} />}>
        <pre tabIndex={0} role="region" aria-label="The event as JSON">
          {json}
        </pre>
      </Panel>
    </>
  );
}

function Who({ event: { actor } }: { event: AuditEvent }): ReactNode {
  const { kind, name, instance_id } = actor;
  if (kind === "bot" && instance_id)
    return (
      <>
        <BotLink name={name} />, instance{" "}
        <Link to="/bots/$name/instances/$id" params={{ name, id: instance_id }} className="mono">
          {instance_id}
        </Link>
      </>
    );
  if (kind === "bot") return <BotLink name={name} />;
  if (kind === "user") return <UserLink name={name} />;
  return name ? `${kind} ${name}` : kind;
}

const BotLink = ({ name }: { name: string }): ReactElement => (
  <Link to="/bots/$name" params={{ name }}>
    bot {name}
  </Link>
);

const UserLink = ({ name }: { name: string }): ReactElement => (
  <Link to="/resources/$kind/$name" params={{ kind: "user", name }} search={{ view: "" }}>
    user {name}
  </Link>
);

/** A field that names something leads to it. */
function Value({ name, value }: { name: string; value: unknown }): ReactElement {
  const text = shownValue(value);
  if (name === "bot") return <BotLink name={text} />;
  if (name === "session_id")
    return (
      <Link to="/audit" search={{ session: text }} className="mono">
        {text}
      </Link>
    );
  return <span className="mono">{text}</span>;
}
