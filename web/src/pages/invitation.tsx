import {
  startRegistration,
  type PublicKeyCredentialCreationOptionsJSON,
} from "@simplewebauthn/browser";
import { Button, Loading, Notice, Title } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent, type ReactElement } from "react";
import { call, messageOf } from "../api/client.ts";
import { useEnter } from "../api/enter.ts";
import { useGoInside } from "../api/go-inside.ts";
import { AuthenticatorApp } from "../authenticator-app.tsx";
import { NewPassword } from "../new-password.tsx";

interface Invitation {
  readonly user: string;
  readonly purpose: string;
  readonly cluster: string;
  readonly totp_uri: string;
  readonly totp_secret: string;
}

interface Question {
  readonly challenge_id: string;
  readonly options: PublicKeyCredentialCreationOptionsJSON;
}

/** The token stands after the # of the link, which no server and no log ever sees. */
export function InvitationPage(): ReactElement {
  const [token] = useState(() => location.hash.slice(1));
  const path = `/v1/webapi/invitations/${encodeURIComponent(token)}`;
  const { data, error } = useQuery({
    queryKey: ["invitation", token],
    queryFn: () => call<Invitation>("GET", path),
    retry: false,
  });
  if (error)
    return (
      <main className="door">
        <div>
          <Title text="This link does not open anything" />
          <Notice tone="bad">{messageOf(error)}</Notice>
        </div>
      </main>
    );
  return (
    <main className="door">{data ? <Accept invitation={data} path={path} /> : <Loading />}</main>
  );
}

function Accept({ invitation, path }: { invitation: Invitation; path: string }): ReactElement {
  const { busy, error, enter } = useEnter(useGoInside());
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const withPasskey = async (): Promise<object> => {
    const { challenge_id, options } = await call<Question>("POST", `${path}/passkey`);
    const response = await startRegistration({ optionsJSON: options });
    return { passkey: { challenge_id, response } };
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    enter(path, async () => ({ password, code }));
  };
  return (
    <form onSubmit={submit}>
      <Title
        text={`${invitation.purpose === "recovery" ? "Welcome back" : "Welcome"}, ${invitation.user}`}
      />
      <p className="soft">Choose how you sign in to {invitation.cluster}.</p>
      {error !== undefined && <Notice tone="bad">{error}</Notice>}
      <Button look="main" onClick={() => enter(path, withPasskey)} busy={busy}>
        Make a passkey
      </Button>
      <p className="soft">or a password, with an authenticator app:</p>
      <NewPassword value={password} onChange={setPassword} />
      <AuthenticatorApp
        uri={invitation.totp_uri}
        secret={invitation.totp_secret}
        code={code}
        onCode={setCode}
      />
      <Button type="submit" look="main" busy={busy}>
        Set password and sign in
      </Button>
    </form>
  );
}
