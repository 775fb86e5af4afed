import {
  startAuthentication,
  type PublicKeyCredentialRequestOptionsJSON,
} from "@simplewebauthn/browser";
import { Button, Field, Notice } from "@tenon/ui";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState, type FormEvent, type ReactElement } from "react";
import { call, messageOf } from "../api/client.ts";

interface Question {
  readonly challenge_id: string;
  readonly options: PublicKeyCredentialRequestOptionsJSON;
}

export function SignInPage(): ReactElement {
  const navigate = useNavigate();
  const client = useQueryClient();
  const [given, setGiven] = useState({ user: "", password: "", code: "" });
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);
  const enter = async (attempt: () => Promise<unknown>): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await attempt();
      client.clear();
      await navigate({ to: "/" });
    } catch (failure) {
      setError(messageOf(failure));
      setBusy(false);
    }
  };
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
    void enter(() => call("POST", "/v1/webapi/sessions", given));
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
        <Button onClick={() => void enter(withPasskey)} busy={busy}>
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
