import { Button, Notice } from "@tenon/ui";
import { useNavigate } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useAct } from "../act.ts";
import { call, named, site } from "../api/client.ts";
import type { Bot } from "../api/types.ts";
import { ChangeDialog } from "../change-dialog.tsx";

export function DeleteBot(props: {
  bot: Bot;
  onClose: () => void;
  onLock: () => void;
}): ReactElement {
  const { bot, onClose, onLock } = props;
  const navigate = useNavigate();
  const act = useAct(
    "bot",
    () => call("DELETE", `${site}/machine-id/bot/${named(bot.name)}`),
    () => void navigate({ to: "/bots", search: { search: "" } }),
  );
  return (
    <ChangeDialog title={`Delete ${bot.name}?`} action="Delete" danger act={act} onClose={onClose}>
      <p>
        Its user, its role, its join tokens and its instances go with it. This cannot be undone, and
        certificates that it holds stay good until they end.
      </p>
      <Notice tone="soft">
        <p>A lock cuts it off at once, and can be taken back.</p>
        <Button onClick={onLock}>Lock it instead</Button>
      </Notice>
    </ChangeDialog>
  );
}
