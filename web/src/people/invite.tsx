import { Dialog, Notice, Time } from "@tenon/ui";
import { useState, type ReactElement } from "react";
import { useAct } from "../act.ts";
import { ChangeDialog } from "../change-dialog.tsx";
import { Copy } from "../copy.tsx";
import { invite, type Invitation } from "./queries.ts";

/** Makes the link with which somebody chooses how to sign in; it is shown this once. */
export function Invite({
  user,
  recovery,
  onClose,
}: {
  user: string;
  recovery: boolean;
  onClose: () => void;
}): ReactElement {
  const [made, setMade] = useState<Invitation>();
  const act = useAct(
    "user",
    async () => setMade(await invite(user, recovery)),
    () => {},
  );
  if (made) return <InvitationLink user={user} made={made} onClose={onClose} />;
  return (
    <ChangeDialog
      title={recovery ? `Reset how ${user} signs in?` : `Invite ${user}?`}
      action={recovery ? "Make a recovery link" : "Make a link"}
      danger={recovery}
      act={act}
      onClose={onClose}
    >
      <p>
        {recovery
          ? "When the link is taken up, the password, the passkeys and every session of before end."
          : "The person chooses a password or a passkey with it. What is used now keeps working."}
      </p>
    </ChangeDialog>
  );
}

export const InvitationLink = ({
  user,
  made,
  onClose,
}: {
  user: string;
  made: Invitation;
  onClose: () => void;
}): ReactElement => (
  <Dialog title={`A link for ${user}`} action="Done" onClose={onClose} onAct={onClose}>
    <Notice tone="warn">
      <p>
        Whoever opens it becomes {user}. It is good once, ends <Time at={made.expires} />, and is
        not shown again.
      </p>
    </Notice>
    <pre className="wrap" aria-label="The link">
      {made.url}
    </pre>
    <div className="row">
      <Copy text={made.url} />
    </div>
  </Dialog>
);
