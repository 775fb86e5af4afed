import { Loading } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import { useState, type ReactElement } from "react";
import { useAct } from "../act.ts";
import { call } from "../api/client.ts";
import { Problem } from "../api/factor.tsx";
import { AuthenticatorApp } from "../authenticator-app.tsx";
import { ChangeDialog } from "../change-dialog.tsx";
import { NewPassword } from "../new-password.tsx";
import { ACCOUNT } from "./queries.ts";

/** What is replaced. */
export type Change = "password" | "authenticator" | "both";

const titles: Readonly<Record<Change, string>> = {
  password: "Change the password",
  authenticator: "Another authenticator app",
  both: "Set a password",
};

interface NewApp {
  readonly challenge_id: string;
  readonly totp_secret: string;
  readonly totp_uri: string;
}

export function ChangePassword({
  change,
  onClose,
}: {
  change: Change;
  onClose: () => void;
}): ReactElement {
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const app = useQuery({
    queryKey: ["authenticator"],
    queryFn: () => call<NewApp>("POST", `${ACCOUNT}/authenticator`),
    enabled: change !== "password",
    staleTime: Infinity,
    gcTime: 0,
    retry: false,
  });
  const put = (): Promise<unknown> =>
    call("PUT", `${ACCOUNT}/password`, {
      ...(change === "authenticator" ? {} : { password }),
      ...(app.data ? { authenticator: { challenge_id: app.data.challenge_id, code } } : {}),
    });
  const act = useAct("account", put, onClose);
  return (
    <ChangeDialog title={titles[change]} action="Save" act={act} onClose={onClose}>
      {change !== "authenticator" && (
        <NewPassword value={password} onChange={setPassword} autoFocus />
      )}
      {app.error ? (
        <Problem error={app.error} what={titles[change]} retry={() => void app.refetch()} />
      ) : app.data ? (
        <AuthenticatorApp
          uri={app.data.totp_uri}
          secret={app.data.totp_secret}
          code={code}
          onCode={setCode}
        />
      ) : (
        change !== "password" && <Loading />
      )}
      <p className="soft">Wherever else you are signed in, you are signed out.</p>
    </ChangeDialog>
  );
}
