import type { ReactElement } from "react";
import { useAct } from "../act.ts";
import { call, named } from "../api/client.ts";
import { ChangeDialog } from "../change-dialog.tsx";
import { ACCOUNT, type Passkey } from "./queries.ts";

export function RemovePasskey({
  passkey: { id, name },
  onClose,
}: {
  passkey: Passkey;
  onClose: () => void;
}): ReactElement {
  const remove = (): Promise<unknown> => call("DELETE", `${ACCOUNT}/passkeys/${named(id)}`);
  const act = useAct("account", remove, onClose);
  const title = `Remove ${name || "the passkey without a name"}`;
  return (
    <ChangeDialog title={title} action="Remove" danger act={act} onClose={onClose}>
      <p>
        It signs in no more. Who is signed in stays: if it is lost, sign out everywhere else too.
      </p>
    </ChangeDialog>
  );
}

export function RemovePassword({ onClose }: { onClose: () => void }): ReactElement {
  const remove = (): Promise<unknown> => call("DELETE", `${ACCOUNT}/password`);
  const act = useAct("account", remove, onClose);
  return (
    <ChangeDialog
      title="Remove password and app"
      action="Remove"
      danger
      act={act}
      onClose={onClose}
    >
      <p>Your passkeys are then how you sign in.</p>
    </ChangeDialog>
  );
}
