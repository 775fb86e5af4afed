import { Button, Notice, Time } from "@tenon/ui";
import { useState, type ReactElement } from "react";
import { useAct } from "../act.ts";
import { useForbidden } from "../api/access.ts";
import { call, named, site } from "../api/client.ts";
import type { Lock } from "../api/types.ts";
import { ChangeDialog } from "../change-dialog.tsx";

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
