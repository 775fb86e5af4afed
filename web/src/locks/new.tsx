import { Choice, Field, PickOne } from "@tenon/ui";
import { useState, type ReactElement } from "react";
import { useAct } from "../act.ts";
import { call, site } from "../api/client.ts";
import { ChangeDialog } from "../change-dialog.tsx";
import { useNames } from "../forms/names.ts";

const targets = [
  ["user", "a user"],
  ["role", "everyone with a role"],
  ["join_token", "whoever joins by a token"],
  ["bot_instance_id", "an instance of a bot"],
  ["server_id", "an agent or a node"],
  ["login", "an account on nodes"],
  ["public_key", "a public key"],
  ["mfa_device", "a device for the second factor"],
] as const;

/** Cuts something off, at once. `on` says what, where that is known already, and `what` in words. */
export function NewLock({
  on,
  what = on?.[1],
  onClose,
}: {
  on?: readonly [target: string, name: string];
  what?: string | undefined;
  onClose: () => void;
}): ReactElement {
  const [target, setTarget] = useState(on?.[0] ?? "user");
  const [name, setName] = useState(on?.[1] ?? "");
  const [message, setMessage] = useState("");
  const [ttl, setTtl] = useState("");
  const body = { targets: { [target]: name }, message, ...(ttl === "" ? {} : { ttl }) };
  const act = useAct("lock", () => call("PUT", `${site}/locks`, body), onClose);
  return (
    <ChangeDialog
      title={what === undefined ? "New lock" : `Lock ${what}?`}
      action="Lock"
      danger
      act={act}
      onClose={onClose}
    >
      <p>Connections are cut within a second, and new ones are refused.</p>
      {!on && (
        <>
          <Choice label="What it cuts off" options={targets} value={target} onChange={setTarget} />
          <Target target={target} value={name} onChange={setName} />
        </>
      )}
      <Field
        label="Message"
        hint="why; whoever is locked out sees it"
        value={message}
        maxLength={1024}
        onChange={(event) => setMessage(event.target.value)}
        autoFocus={on !== undefined}
      />
      <Field
        label="For how long"
        hint="such as 30m, 12h or 3d; empty: until it is removed"
        value={ttl}
        onChange={(event) => setTtl(event.target.value)}
      />
    </ChangeDialog>
  );
}

const hints: Readonly<Record<string, string>> = {
  bot_instance_id: "the UUID of the instance, as the page of instances shows it",
  server_id: "the host UUID of the agent, or the name of the node",
  login: "such as root: in every certificate that is used with it",
  public_key: "an OpenSSH public key, or its SHA256:… fingerprint",
  mfa_device: "its name",
  join_token: "its name",
};

interface TargetProps {
  readonly target: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

const Target = (about: TargetProps): ReactElement =>
  about.target === "user" || about.target === "role" ? (
    <Known {...about} />
  ) : (
    <Field
      label="Which one"
      hint={hints[about.target] ?? ""}
      value={about.value}
      onChange={(event) => about.onChange(event.target.value)}
      required
    />
  );

const Known = ({ target, value, onChange }: TargetProps): ReactElement => (
  <PickOne
    key={target}
    label="Which one"
    hint="names that nobody has yet are taken too"
    options={useNames(target)}
    value={value}
    onChange={onChange}
  />
);
