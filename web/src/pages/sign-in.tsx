import {
  startAuthentication,
  type PublicKeyCredentialRequestOptionsJSON,
} from "@simplewebauthn/browser";
import { Button, Field, Notice } from "@tenon/ui";
import { useState, type FormEvent, type ReactElement } from "react";
import { call } from "../api/client.ts";
import { useEnter } from "../api/enter.ts";

interface Question {
  readonly challenge_id: string;
  readonly options: PublicKeyCredentialRequestOptionsJSON;
}

export function SignInPage(): ReactElement {
  const { busy, error, enter } = useEnter();
  const [given, setGiven] = useState({ user: "", password: "", code: "" });
  const withPasskey = async (): Promise<void> => {
    const { challenge_id, options } = await call<Question>(
      "POST",
      "/v1/webapi/sessions/passkey/begin",
    );
    const response = await startAuthentication({ optionsJSON: options });
    await call("POST", "/v1/webapi/sessions/passkey", { challenge_id, response });
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    enter(() => call("POST", "/v1/webapi/sessions", given));
  };
  const field = (name: keyof typeof given) => ({
    value: given[name],
    onChange: (event: { target: { value: string } }) =>
      setGiven({ ...given, [name]: event.target.value }),
    required: true,
  });
  return (
    <main className="door">
      <form onSubmit={submit}>
        <h1>Sign in</h1>
        {error !== undefined && <Notice tone="bad">{error}</Notice>}
        <Button onClick={() => enter(withPasskey)} busy={busy}>
          Use a passkey
        </Button>
        <Field label="User" autoComplete="username" autoFocus {...field("user")} />
        <Field
          label="Password"
          type="password"
          autoComplete="current-password"
          {...field("password")}
        />
        <Field
          label="Code"
          hint="six digits of your authenticator app"
          inputMode="numeric"
          autoComplete="one-time-code"
          {...field("code")}
        />
        <Button type="submit" look="main" busy={busy}>
          Sign in
        </Button>
        <p className="soft">No account, or locked out? An administrator can send you a link.</p>
      </form>
    </main>
  );
}
