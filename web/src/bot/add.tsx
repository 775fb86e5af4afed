import { Field } from "@tenon/ui";
import { useState, type ReactElement } from "react";
import { useAct } from "../act.ts";
import { call, site } from "../api/client.ts";
import { ChangeDialog } from "../change-dialog.tsx";
import { BotFields, specOf, type Draft } from "./fields.tsx";
import { FirstJoin, type Made } from "./first-join.tsx";

const fresh: Draft = { roles: "", traits: "", max_session_ttl: "12h" };

/** Makes a bot and how its machine joins, and stays until the machine is there. */
export function AddBot({ onClose }: { onClose: () => void }): ReactElement {
  const [name, setName] = useState("");
  const [draft, setDraft] = useState(fresh);
  const [repository, setRepository] = useState<string>();
  const [made, setMade] = useState<Made>();
  const join =
    repository === undefined ? { method: "bound_keypair" } : { method: "github", repository };
  const add = async (): Promise<void> => {
    const body = { name, ...specOf(draft), join };
    const { join_uri } = await call<{ join_uri: string }>("POST", `${site}/machine-id/bot`, body);
    setMade({ name, joinUri: join_uri, github: repository !== undefined });
  };
  const act = useAct("bot", add, () => {});
  if (made) return <FirstJoin made={made} onClose={onClose} />;
  return (
    <ChangeDialog title="Add a bot" action="Add" act={act} onClose={onClose}>
      <Field
        label="Name"
        hint="letters, digits and . _ @ + -"
        value={name}
        onChange={(event) => setName(event.target.value)}
        required
        autoFocus
      />
      <fieldset className="choice">
        <legend>Where it runs</legend>
        <label>
          <input
            type="radio"
            name="where"
            checked={repository === undefined}
            onChange={() => setRepository(undefined)}
          />{" "}
          on a machine, with a key of its own
        </label>
        <label>
          <input
            type="radio"
            name="where"
            checked={repository !== undefined}
            onChange={() => setRepository("")}
          />{" "}
          in GitHub Actions
        </label>
      </fieldset>
      {repository !== undefined && (
        <Field
          label="Repository"
          hint="owner/name; its jobs may become this bot"
          value={repository}
          onChange={(event) => setRepository(event.target.value)}
          pattern="[^\\/]+\\/[^\\/]+"
          required
        />
      )}
      <BotFields draft={draft} onChange={setDraft} />
    </ChangeDialog>
  );
}
