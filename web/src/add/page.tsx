import { Button, Field, Notice, Panel, Title } from "@tenon/ui";
import { Link, useSearch } from "@tanstack/react-router";
import { useState, type FormEvent, type ReactElement } from "react";
import { useAct } from "../act.ts";
import { useForbidden } from "../api/access.ts";
import { call, site } from "../api/client.ts";
import { FactorNotice } from "../api/factor.tsx";
import { BotFields, freshDraft, specOf } from "../bot/fields.tsx";
import { FirstJoin, type Made } from "./first-join.tsx";
import { Where } from "./where.tsx";

/** Makes a bot and how its machine joins, and stays until the machine is there. */
export function AddBotPage(): ReactElement {
  const { how } = useSearch({ from: "/shell/add-bot" });
  const [made, setMade] = useState<Made>();
  return (
    <>
      <nav aria-label="Where this is" className="trail">
        <Link to="/bots" search={{ search: "" }}>
          Bots
        </Link>
      </nav>
      <Title text={made ? `${made.name} may join` : "Add a bot"} />
      {made ? (
        <FirstJoin made={made} />
      ) : (
        <>
          <Where how={how} />
          <NewBot github={how === "github"} onMade={setMade} />
        </>
      )}
    </>
  );
}

function NewBot({
  github,
  onMade,
}: {
  github: boolean;
  onMade: (made: Made) => void;
}): ReactElement {
  const forbidden = useForbidden()("bot", "create");
  const [name, setName] = useState("");
  const [draft, setDraft] = useState(freshDraft);
  const [repository, setRepository] = useState("");
  const join = github ? { method: "github", repository } : { method: "bound_keypair" };
  const add = async (): Promise<void> => {
    const body = { name, ...specOf(draft), join };
    const { join_uri } = await call<{ join_uri: string }>("POST", `${site}/machine-id/bot`, body);
    onMade({ name, joinUri: join_uri, github });
  };
  const act = useAct("bot", add, () => {});
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!act.busy) act.run();
  };
  return (
    <Panel title="The bot">
      <form className="stack narrow" onSubmit={submit}>
        <Field
          label="Name"
          hint="letters, digits and . _ @ + -"
          value={name}
          onChange={(event) => setName(event.target.value)}
          required
          autoFocus
        />
        {github && (
          <Field
            label="Repository"
            hint="owner/name; its jobs may become this bot"
            value={repository}
            onChange={(event) => setRepository(event.target.value)}
            pattern="[^\/]+\/[^\/]+"
            title="owner/name"
            required
          />
        )}
        <BotFields draft={draft} onChange={setDraft} />
        {act.error !== undefined && <Notice tone="bad">{act.error}</Notice>}
        {act.requiresFactor && <FactorNotice what="Adding a bot" onVerified={act.run} />}
        <div className="row">
          <Button type="submit" look="main" busy={act.busy} forbidden={forbidden}>
            Add
          </Button>
        </div>
      </form>
    </Panel>
  );
}
