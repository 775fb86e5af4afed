import {
  startRegistration,
  type PublicKeyCredentialCreationOptionsJSON,
} from "@simplewebauthn/browser";
import { Field } from "@tenon/ui";
import { useState, type ReactElement } from "react";
import { useAct } from "../act.ts";
import { call } from "../api/client.ts";
import { ChangeDialog } from "../change-dialog.tsx";
import { ACCOUNT } from "./queries.ts";

interface Question {
  readonly challenge_id: string;
  readonly options: PublicKeyCredentialCreationOptionsJSON;
}

export function AddPasskey({ onClose }: { onClose: () => void }): ReactElement {
  const [name, setName] = useState("");
  const add = async (): Promise<void> => {
    const { challenge_id, options } = await call<Question>("POST", `${ACCOUNT}/passkeys/begin`);
    const response = await startRegistration({ optionsJSON: options });
    await call("POST", `${ACCOUNT}/passkeys`, { name, passkey: { challenge_id, response } });
  };
  const act = useAct("account", add, onClose);
  return (
    <ChangeDialog title="Add a passkey" action="Make it" act={act} onClose={onClose}>
      <Field
        label="Name"
        hint="to tell it from others, such as the computer that holds it"
        value={name}
        onChange={(event) => setName(event.target.value)}
        maxLength={64}
        required
        autoFocus
      />
    </ChangeDialog>
  );
}
