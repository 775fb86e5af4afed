import { Button, Field, Notice, Time } from "@tenon/ui";
import { useState, type ReactElement } from "react";
import { useAct } from "../act.ts";
import { useForbidden } from "../api/access.ts";
import { call, named, site } from "../api/client.ts";
import type { Bot, Lock } from "../api/types.ts";
import { ChangeDialog } from "../change-dialog.tsx";

/** Cuts the bot and all its instances off, now. */
export function LockBot({ bot, onClose }: { bot: Bot; onClose: () => void }): ReactElement {
  const [message, setMessage] = useState("");
  const [ttl, setTtl] = useState("");
  const body = { targets: { user: bot.user_name }, message, ...(ttl === "" ? {} : { ttl }) };
  const act = useAct("lock", () => call("PUT", `${site}/locks`, body), onClose);
  return (
    <ChangeDialog title={`Lock ${bot.name}?`} action="Lock" danger act={act} onClose={onClose}>
      <p>Every connection of every instance is cut within a second, and new ones are refused.</p>
      <Field
        label="Message"
        hint="why; whoever is locked out sees it"
        value={message}
        onChange={(event) => setMessage(event.target.value)}
        autoFocus
      />
      <Field
        label="For how long"
        hint="such as 30m, 12h or 3d; empty: until it is removed"
        value={ttl}
        onChange={(event) => setTtl(event.target.value)}
      />
    </ChangeDialog>
  );
}

/** The locks that hold now, each with a way to take it back. */
export const Locks = ({ locks }: { locks: readonly Lock[] }): ReactElement => (
  <>
    {locks.map((lock) => (
      <HeldLock key={lock.name} lock={lock} />
    ))}
  </>
);

function HeldLock({ lock }: { lock: Lock }): ReactElement {
  const [open, setOpen] = useState(false);
  const forbidden = useForbidden()("lock", "delete");
  const close = (): void => setOpen(false);
  const act = useAct("lock", () => call("DELETE", `${site}/locks/${named(lock.name)}`), close);
  return (
    <Notice tone="bad">
      <p>
        Locked{lock.created_by && ` by ${lock.created_by}`}: {lock.message || "no message"}
        {lock.expires && (
          <>
            {" "}
            (ends <Time at={lock.expires} />)
          </>
        )}
      </p>
      <Button forbidden={forbidden} onClick={() => setOpen(true)}>
        Unlock
      </Button>
      {open && (
        <ChangeDialog title="Remove this lock?" action="Unlock" act={act} onClose={close}>
          <p>The bot may join and connect again at once.</p>
        </ChangeDialog>
      )}
    </Notice>
  );
}
