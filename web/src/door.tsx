import {
  startAuthentication,
  type PublicKeyCredentialRequestOptionsJSON,
} from "@simplewebauthn/browser";
import { Button, Field, Notice, Title } from "@tenon/ui";
import { useEffect, useRef, useState, type FormEvent, type ReactElement } from "react";
import { call } from "./api/client.ts";
import { useEnter } from "./api/enter.ts";

const SESSIONS = "/v1/webapi/sessions";

interface Question {
  readonly challenge_id: string;
  readonly options: PublicKeyCredentialRequestOptionsJSON;
}

interface DoorProps {
  /** Why one stands before it. */
  readonly why?: string | undefined;
  readonly onEntered: (user: string) => void;
}

/** How one signs in. */
export function Door({ why, onEntered }: DoorProps): ReactElement {
  const [given, setGiven] = useState({ user: "", password: "", code: "" });
  const { busy, error, enter } = useEnter(onEntered);
  const withPasskey = async (): Promise<object> => {
    const { challenge_id, options } = await call<Question>("POST", `${SESSIONS}/passkey/begin`);
    return { challenge_id, response: await startAuthentication({ optionsJSON: options }) };
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    enter(SESSIONS, async () => given);
  };
  const field = (name: keyof typeof given) => ({
    value: given[name],
    onChange: (event: { target: { value: string } }) =>
      setGiven({ ...given, [name]: event.target.value }),
    required: true,
  });
  return (
    <form onSubmit={submit}>
      <Title text="Sign in" />
      {why !== undefined && <Notice tone="soft">{sentence(why)}</Notice>}
      {error !== undefined && <Notice tone="bad">{error}</Notice>}
      <Button onClick={() => enter(`${SESSIONS}/passkey`, withPasskey)} busy={busy}>
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
  );
}

/** Over a page whose session is over: what was typed there is still there afterwards. */
export function DoorOver(props: DoorProps): ReactElement {
  const dialog = useRef<HTMLDialogElement>(null);
  const open = (): void => {
    if (!dialog.current?.open) dialog.current?.showModal();
  };
  useEffect(open, []);
  return (
    <dialog
      ref={dialog}
      className="door over"
      aria-label="Sign in again"
      onCancel={(event) => event.preventDefault()}
      onClose={open}
    >
      <Door {...props} />
    </dialog>
  );
}

const sentence = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
