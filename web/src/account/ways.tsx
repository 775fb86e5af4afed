import { Button, Empty, Facts, Loading, Panel, Time } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import { useState, type ReactElement } from "react";
import { Problem } from "../api/factor.tsx";
import { AddPasskey } from "./add-passkey.tsx";
import { ChangePassword, type Change } from "./password.tsx";
import { account, type Account, type Passkey } from "./queries.ts";
import { RemovePasskey, RemovePassword } from "./remove.tsx";

type Open = "passkey" | Change | "remove password" | Passkey;

/** The last way in is not removed: its button says why. */
const ONLY = "this is your only way in; add another one first";

export function Ways(): ReactElement {
  const { data, error, refetch } = useQuery(account);
  const [open, setOpen] = useState<Open>();
  const close = (): void => setOpen(undefined);
  if (error) return <Problem error={error} what="Your account" retry={() => void refetch()} />;
  if (!data) return <Loading />;
  return (
    <>
      <Passkeys account={data} onOpen={setOpen} />
      <Password account={data} onOpen={setOpen} />
      <Factor account={data} />
      {open === "passkey" && <AddPasskey onClose={close} />}
      {(open === "password" || open === "authenticator" || open === "both") && (
        <ChangePassword change={open} onClose={close} />
      )}
      {open === "remove password" && <RemovePassword onClose={close} />}
      {typeof open === "object" && <RemovePasskey passkey={open} onClose={close} />}
    </>
  );
}

interface PartProps {
  readonly account: Account;
  readonly onOpen: (open: Open) => void;
}

const Passkeys = ({ account: { passkeys, password }, onOpen }: PartProps): ReactElement => (
  <Panel
    title="Passkeys"
    actions={<Button onClick={() => onOpen("passkey")}>Add a passkey</Button>}
  >
    {passkeys.length === 0 ? (
      <Empty>None. A passkey signs you in without a password, and cannot be phished.</Empty>
    ) : (
      <ul className="stack">
        {passkeys.map((passkey) => (
          <li key={passkey.id} className="row apart">
            <span>
              {passkey.name || "without a name"}{" "}
              <span className="soft">
                made <Time at={passkey.created} />, last used{" "}
                <Time at={passkey.used} none="never" />
              </span>
            </span>
            <Button
              look="quiet"
              aria-label={`Remove ${passkey.name || "the passkey without a name"}`}
              forbidden={passkeys.length === 1 && !password ? ONLY : undefined}
              onClick={() => onOpen(passkey)}
            >
              Remove
            </Button>
          </li>
        ))}
      </ul>
    )}
  </Panel>
);

const Password = ({ account, onOpen }: PartProps): ReactElement => (
  <Panel
    title="Password and authenticator app"
    actions={
      account.password ? (
        <>
          <Button onClick={() => onOpen("password")}>Change the password</Button>
          <Button onClick={() => onOpen("authenticator")}>Another app</Button>
          <Button
            look="quiet"
            forbidden={account.passkeys.length === 0 ? ONLY : undefined}
            onClick={() => onOpen("remove password")}
          >
            Remove both
          </Button>
        </>
      ) : (
        <Button onClick={() => onOpen("both")}>Set a password</Button>
      )
    }
  >
    {account.authenticator ? (
      <p>
        A code was last used <Time at={account.authenticator.used} none="never" />.
      </p>
    ) : (
      <Empty>None. You sign in with a passkey.</Empty>
    )}
  </Panel>
);

const Factor = ({ account: { second_factor } }: { account: Account }): ReactElement => (
  <Panel title="Second factor in this session">
    <Facts
      items={[
        ["Last given", <Time key="given" at={second_factor.given} none="not yet" />],
        [
          "Counts until",
          <Time key="until" at={second_factor.until} none="it must be given again" />,
        ],
      ]}
    />
  </Panel>
);
