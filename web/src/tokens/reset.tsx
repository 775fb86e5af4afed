import { Dialog, Notice, Time } from "@tenon/ui";
import { useState, type ReactElement } from "react";
import { useAct } from "../act.ts";
import { call, named, site } from "../api/client.ts";
import { ChangeDialog } from "../change-dialog.tsx";

interface Reset {
  readonly locks: readonly string[];
  readonly until: string;
}

/** Lets the machine of a bound key back in, once, whatever its join state. */
export function ResetKey({ id, onClose }: { id: string; onClose: () => void }): ReactElement {
  const [done, setDone] = useState<Reset>();
  const reset = async (): Promise<void> =>
    setDone(await call<Reset>("POST", `${site}/tokens/${named(id)}/reset`));
  const act = useAct("token", reset, () => {});
  if (done) return <Done reset={done} onClose={onClose} />;
  return (
    <ChangeDialog
      title="Let its machine back in?"
      action="Reset"
      danger
      act={act}
      onClose={onClose}
    >
      <p>
        The locks that joining made for it are removed, and the next attempt of its key is taken
        whatever its join state, once.
      </p>
      <Notice tone="warn">
        If a copy of the machine comes first, the copy is let in. Make sure that there is none.
      </Notice>
    </ChangeDialog>
  );
}

const Done = ({
  reset: { locks, until },
  onClose,
}: {
  reset: Reset;
  onClose: () => void;
}): ReactElement => (
  <Dialog title="It may come back" action="Done" onClose={onClose} onAct={onClose}>
    <p>
      {until === "" ? (
        "No key is bound to it yet: there was nothing else to reset."
      ) : (
        <>
          Its next attempt is taken until <Time at={until} />.
        </>
      )}
    </p>
    <p className="soft">
      {locks.length === 0 ? "No lock stood in the way." : `Locks removed: ${locks.length}.`}
    </p>
  </Dialog>
);
