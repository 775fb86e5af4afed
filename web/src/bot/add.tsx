import { Field } from "@tenon/ui";
import { useNavigate } from "@tanstack/react-router";
import { useState, type ReactElement } from "react";
import { useAct } from "../act.ts";
import { call, site } from "../api/client.ts";
import { ChangeDialog } from "../change-dialog.tsx";
import { BotFields, specOf, type Draft } from "./fields.tsx";

const fresh: Draft = { roles: "", traits: "", max_session_ttl: "12h" };

export function AddBot({ onClose }: { onClose: () => void }): ReactElement {
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [draft, setDraft] = useState(fresh);
  const act = useAct(
    "bot",
    () => call("POST", `${site}/machine-id/bot`, { name, ...specOf(draft) }),
    () => void navigate({ to: "/bots/$name", params: { name } }),
  );
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
      <BotFields draft={draft} onChange={setDraft} />
    </ChangeDialog>
  );
}
