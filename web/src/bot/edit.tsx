import { useState, type ReactElement } from "react";
import { useAct } from "../act.ts";
import { call, named } from "../api/client.ts";
import type { Bot } from "../api/types.ts";
import { ChangeDialog } from "../change-dialog.tsx";
import { BotFields, draftOf, specOf } from "./fields.tsx";

/** Changes all of it at once, or nothing; refused when somebody else changed the bot meanwhile. */
export function EditBot({ bot, onClose }: { bot: Bot; onClose: () => void }): ReactElement {
  const [draft, setDraft] = useState(() => draftOf(bot));
  const [revision] = useState(bot.revision);
  const path = `/v2/webapi/sites/-/machine-id/bot/${named(bot.name)}`;
  const act = useAct("bot", () => call("PUT", path, { ...specOf(draft), revision }), onClose);
  return (
    <ChangeDialog title={`Edit ${bot.name}`} action="Save" act={act} onClose={onClose}>
      <BotFields draft={draft} onChange={setDraft} />
    </ChangeDialog>
  );
}
