import { Badge, Button, Facts, Loading, Notice, Panel, Tags, Title, ExactTime } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useState, type ReactElement } from "react";
import { useForbidden } from "../api/access.ts";
import { Problem } from "../api/factor.tsx";
import { botOf, locksOn } from "../api/queries.ts";
import type { Bot } from "../api/types.ts";
import { DeleteBot } from "./delete.tsx";
import { EditBot } from "./edit.tsx";
import { Insights } from "./insights.tsx";
import { NewLock } from "../locks/new.tsx";
import { Locks } from "./lock.tsx";
import { ActiveInstances } from "./instances.tsx";
import { JoinTokens } from "./tokens.tsx";

type Open = "edit" | "lock" | "delete";

export function BotPage(): ReactElement {
  const { name } = useParams({ from: "/shell/bots/$name" });
  const { data, error, refetch } = useQuery(botOf(name));
  if (data && !error) return <Details key={name} bot={data} />;
  return (
    <>
      <Trail />
      <Title text={name} />
      {error ? (
        <Problem error={error} what={`Bot ${name}`} retry={() => void refetch()} />
      ) : (
        <Loading />
      )}
    </>
  );
}

function Details({ bot }: { bot: Bot }): ReactElement {
  const may = useForbidden();
  const [open, setOpen] = useState<Open>();
  const locks = useQuery(locksOn(bot));
  const close = (): void => setOpen(undefined);
  return (
    <>
      <Trail />
      <div className="row apart">
        <div className="row">
          <Title text={bot.name} />
          {(locks.data?.length ?? 0) > 0 && <Badge tone="bad">locked</Badge>}
        </div>
        <div className="row">
          <Button forbidden={may("bot", "update")} onClick={() => setOpen("edit")}>
            Edit
          </Button>
          <Button forbidden={may("lock", "create")} onClick={() => setOpen("lock")}>
            Lock
          </Button>
          <Button look="danger" forbidden={may("bot", "delete")} onClick={() => setOpen("delete")}>
            Delete
          </Button>
        </div>
      </div>
      {locks.error ? (
        <Notice tone="soft">Whether it is locked cannot be seen: {locks.error.message}.</Notice>
      ) : (
        <Locks locks={locks.data ?? []} />
      )}
      <div className="columns">
        <Info bot={bot} />
        <div className="stack">
          <Access bot={bot} onEdit={may("bot", "update") ? undefined : () => setOpen("edit")} />
          <JoinTokens bot={bot.name} />
        </div>
      </div>
      <ActiveInstances bot={bot.name} />
      <Insights bot={bot.name} />
      {open === "edit" && <EditBot bot={bot} onClose={close} />}
      {open === "lock" && <NewLock on={["user", bot.user_name]} what={bot.name} onClose={close} />}
      {open === "delete" && <DeleteBot bot={bot} onClose={close} onLock={() => setOpen("lock")} />}
    </>
  );
}

const Trail = (): ReactElement => (
  <nav aria-label="Where this is" className="trail">
    <Link to="/bots" search={{ search: "" }}>
      Bots
    </Link>
  </nav>
);

const Info = ({ bot }: { bot: Bot }): ReactElement => (
  <Panel title="Bot info">
    <Facts
      items={[
        ["Name", bot.name],
        [
          "Created",
          <ExactTime key="created" at={bot.created_at} none="before this was recorded" />,
        ],
        ["Created by", bot.created_by || "—"],
        ["Longest session", bot.max_session_ttl],
        ["User", <KindLink key="user" kind="user" name={bot.user_name} />],
        ["Role", <KindLink key="role" kind="role" name={bot.role_name} />],
      ]}
    />
  </Panel>
);

const KindLink = ({ kind, name }: { kind: string; name: string }): ReactElement => (
  <Link to="/resources/$kind/$name" params={{ kind, name }} search={{ view: "" }}>
    {name}
  </Link>
);

const Access = ({ bot, onEdit }: { bot: Bot; onEdit: (() => void) | undefined }): ReactElement => (
  <Panel
    title="Roles and traits"
    actions={
      onEdit && (
        <Button look="quiet" onClick={onEdit}>
          Edit
        </Button>
      )
    }
  >
    <Facts
      items={[
        [
          "Roles",
          <Tags
            key="roles"
            none="none: this bot may do nothing"
            items={bot.roles.map((name) => (
              <KindLink key={name} kind="role" name={name} />
            ))}
          />,
        ],
        ...bot.traits.map(
          ({ name, values }) => [name, <Tags key={name} items={values} none="no value" />] as const,
        ),
      ]}
    />
  </Panel>
);
