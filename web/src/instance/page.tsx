import { Button, ExactTime, Facts, Loading, Notice, Panel, Title } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useState, type ReactElement } from "react";
import { useForbidden } from "../api/access.ts";
import { Problem } from "../api/factor.tsx";
import { instanceOf } from "../api/queries.ts";
import type { InstanceDetails } from "../api/types.ts";
import { InstanceHealth } from "../health.tsx";
import { NewLock } from "../locks/new.tsx";
import { Held } from "../resource/locked.tsx";
import { InstanceRecords } from "./records.tsx";

export function InstancePage(): ReactElement {
  const { name, id } = useParams({ from: "/shell/bots/$name/instances/$id" });
  const { data, error, refetch } = useQuery(instanceOf(name, id));
  return (
    <>
      <nav aria-label="Where this is" className="trail">
        <Link to="/bots/$name" params={{ name }}>
          {name}
        </Link>
      </nav>
      {error ? (
        <>
          <Title text={id} mono />
          <Problem error={error} what="Viewing an instance" retry={() => void refetch()} />
        </>
      ) : data ? (
        <Details details={data} />
      ) : (
        <Loading />
      )}
    </>
  );
}

function Details({ details }: { details: InstanceDetails }): ReactElement {
  const { summary, document } = details;
  const { status } = document;
  const configuration = status?.latest_heartbeats.at(-1)?.configuration;
  return (
    <>
      <Heading id={summary.instance_id} />
      <Held target={`bot_instance_id:${summary.instance_id}`} />
      {status?.notices.map((notice) => (
        <Notice key={notice} tone="warn">
          {notice}
        </Notice>
      ))}
      <div className="columns">
        <About details={details} />
        <Machine details={details} />
      </div>
      {status && <InstanceRecords status={status} isFirst={!document.spec.previous_instance_id} />}
      {configuration && (
        <Panel title="Effective configuration, without secrets">
          <pre tabIndex={0} aria-label="Configuration">
            {configuration}
          </pre>
        </Panel>
      )}
    </>
  );
}

function Heading({ id }: { id: string }): ReactElement {
  const [locking, setLocking] = useState(false);
  const forbidden = useForbidden()("lock", "create");
  return (
    <div className="row apart">
      <Title text={id} mono />
      <Button forbidden={forbidden} onClick={() => setLocking(true)}>
        Lock
      </Button>
      {locking && (
        <NewLock
          on={["bot_instance_id", id]}
          what="this instance"
          onClose={() => setLocking(false)}
        />
      )}
    </div>
  );
}

const About = ({ details }: { details: InstanceDetails }): ReactElement => {
  const { summary, document, recoveries } = details;
  return (
    <Panel title="Instance">
      <Facts
        items={[
          ["Health", <InstanceHealth key="health" instance={summary} />],
          ["First seen", <ExactTime key="first" at={summary.first_seen_at} none="—" />],
          ["Last active", <ExactTime key="active" at={summary.last_active_at} />],
          ["Credentials end", <ExactTime key="end" at={summary.credentials_end} none="—" />],
          ["Generation", summary.generation],
          ["Recoveries left", recoveries ? `${recoveries.left} of ${recoveries.limit}` : "—"],
          [
            "Before its last recovery",
            <span key="previous" className="mono">
              {document.spec.previous_instance_id ?? "—"}
            </span>,
          ],
        ]}
      />
    </Panel>
  );
};

/** Of what it said as it joined, what the facts above have already. */
const shown = new Set(["hostname", "os", "architecture", "version"]);

const Machine = ({
  details: { summary, document },
}: {
  details: InstanceDetails;
}): ReactElement => {
  const beat = document.status?.latest_heartbeats.at(-1);
  const join = document.status?.latest_authentications.at(-1);
  return (
    <Panel title="Machine">
      <Facts
        items={[
          ["Host", summary.hostname || "—"],
          ["System", beat ? `${beat.os}, ${beat.architecture}` : "—"],
          ["tbot", beat?.version ?? "—"],
          ["Joined by", join?.join_method ?? "—"],
          ["Joined from", join?.remote_addr || "—"],
          ...Object.entries(join?.attributes ?? {}).filter(([name]) => !shown.has(name)),
        ]}
      />
    </Panel>
  );
};
