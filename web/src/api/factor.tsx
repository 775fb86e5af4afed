import {
  startAuthentication,
  type PublicKeyCredentialRequestOptionsJSON,
} from "@simplewebauthn/browser";
import { Button, Dialog, Field, Notice } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import { useState, type ReactElement } from "react";
import { ApiError, call, messageOf } from "./client.ts";

interface Question {
  readonly totp: boolean;
  readonly passkey?: {
    readonly challenge_id: string;
    readonly options: PublicKeyCredentialRequestOptionsJSON;
  };
}

interface VerifyProps {
  readonly onClose: () => void;
  readonly onVerified: () => void;
}

/** Asks for a second factor; it counts for some minutes, in this session. */
function Verify({ onClose, onVerified }: VerifyProps): ReactElement {
  const [code, setCode] = useState("");
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);
  const question = useQuery({
    queryKey: ["factor"],
    queryFn: () => call<Question>("POST", "/v1/webapi/mfa/begin"),
    gcTime: 0,
    staleTime: Infinity,
  });
  const give = async (answer: () => Promise<object>): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await call("POST", "/v1/webapi/mfa", await answer());
      onVerified();
    } catch (failure) {
      setError(messageOf(failure));
      setBusy(false);
      void question.refetch();
    }
  };
  const passkey = question.data?.passkey;
  const byCode = question.data?.totp === true;
  const withPasskey = async (): Promise<object> => ({
    passkey: {
      challenge_id: passkey!.challenge_id,
      response: await startAuthentication({ optionsJSON: passkey!.options }),
    },
  });
  return (
    <Dialog
      title="Verify that it is you"
      action={byCode ? "Verify" : "Use a passkey"}
      busy={busy || question.isPending}
      error={error ?? (question.error ? messageOf(question.error) : undefined)}
      onClose={onClose}
      onAct={() => void give(byCode ? async () => ({ code }) : withPasskey)}
    >
      {passkey && byCode && <Button onClick={() => void give(withPasskey)}>Use a passkey</Button>}
      {!byCode && <p className="soft">Your browser will ask for your passkey.</p>}
      {byCode && (
        <Field
          label="Code of your authenticator app"
          value={code}
          onChange={(event) => setCode(event.target.value)}
          inputMode="numeric"
          autoComplete="one-time-code"
          autoFocus
        />
      )}
    </Dialog>
  );
}

/** In place of what an action of an administrator would show: explains, and offers to verify. */
export function FactorNotice({
  what,
  onVerified,
}: {
  what: string;
  onVerified: () => void;
}): ReactElement {
  const [open, setOpen] = useState(false);
  return (
    <Notice tone="warn">
      <p>{what} needs a second factor. Verify once, and it holds for some minutes.</p>
      <Button onClick={() => setOpen(true)}>Verify</Button>
      {open && (
        <Verify
          onClose={() => setOpen(false)}
          onVerified={() => {
            setOpen(false);
            onVerified();
          }}
        />
      )}
    </Notice>
  );
}

/** What went wrong, in place: a second factor to give, or the sentence of the cluster, and another try. */
export function Problem({
  error,
  what,
  retry,
}: {
  error: unknown;
  what: string;
  retry: () => void;
}): ReactElement {
  if (error instanceof ApiError && error.requiresFactor)
    return <FactorNotice what={what} onVerified={retry} />;
  if (error instanceof ApiError && error.code === "access_denied")
    return <Notice tone="soft">You may not see this: {error.message}.</Notice>;
  if (error instanceof ApiError && error.proxyVersion !== undefined)
    return <Notice tone="soft">{error.message}</Notice>;
  return (
    <Notice tone="bad">
      <p>{messageOf(error)}</p>
      <Button onClick={retry}>Try again</Button>
    </Notice>
  );
}
