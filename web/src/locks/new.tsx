import { Choice, Field } from "@tenon/ui";
import { useState, type ReactElement } from "react";
import { useAct } from "../act.ts";
import { call, site } from "../api/client.ts";
import { ChangeDialog } from "../change-dialog.tsx";
import { LockTarget, lockTargets } from "./target.tsx";

/** Cuts something off, at once. `on` says what, where that is known already, and `what` in words. */
export function NewLock({
  on,
  what = on?.[1],
  onClose,
}: {
  on?: readonly [target: string, name: string];
  what?: string | undefined;
  onClose: () => void;
}): ReactElement {
  const [target, setTarget] = useState(on?.[0] ?? "user");
  const [name, setName] = useState(on?.[1] ?? "");
  const [message, setMessage] = useState("");
  const [ttl, setTtl] = useState("");
  const body = { targets: { [target]: name }, message, ...(ttl === "" ? {} : { ttl }) };
  const act = useAct("lock", () => call("PUT", `${site}/locks`, body), onClose);
  return (
    <ChangeDialog
      title={what === undefined ? "New lock" : `Lock ${what}?`}
      action="Lock"
      danger
      act={act}
      onClose={onClose}
    >
      <p>Connections are cut within a second, and new ones are refused.</p>
      {!on && (
        <>
          <Choice
            label="What it cuts off"
            options={lockTargets}
            value={target}
            onChange={(next) => {
              setTarget(next);
              setName("");
            }}
          />
          <LockTarget target={target} value={name} onChange={setName} />
        </>
      )}
      <Field
        label="Message"
        hint="why; whoever is locked out sees it"
        value={message}
        maxLength={1024}
        onChange={(event) => setMessage(event.target.value)}
        autoFocus={on !== undefined}
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
