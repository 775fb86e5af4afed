import { Button, Dialog, Notice } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState, type ReactElement } from "react";
import { recentInstances } from "../api/queries.ts";

export interface Made {
  readonly name: string;
  /** Holds the secret, where there is one. */
  readonly joinUri: string;
  readonly github: boolean;
}

/** What to do on the machine, and the moment when it is there. */
export function FirstJoin({ made, onClose }: { made: Made; onClose: () => void }): ReactElement {
  const navigate = useNavigate();
  const { data } = useQuery(recentInstances(made.name));
  const joined = data?.items[0];
  const text = made.github ? workflow(made) : command(made);
  const show = (): void => void navigate({ to: "/bots/$name", params: { name: made.name } });
  return (
    <Dialog title={`${made.name} may join`} action="Show the bot" onClose={onClose} onAct={show}>
      <p>
        {made.github
          ? "Put these steps into a job of the workflow:"
          : "Run this on the machine. It holds a secret that is good once, within an hour:"}
      </p>
      <pre>{text}</pre>
      <Copy text={text} />
      {joined ? (
        <Notice tone="soft">
          <p className="good">
            It joined{joined.hostname && ` from ${joined.hostname}`}, by {joined.join_method}.
          </p>
        </Notice>
      ) : (
        <Notice tone="soft">Waiting for it to join …</Notice>
      )}
    </Dialog>
  );
}

function Copy({ text }: { text: string }): ReactElement {
  const [done, setDone] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    setDone(true);
  };
  return <Button onClick={() => void copy()}>{done ? "Copied" : "Copy"}</Button>;
}

const command = ({ name, joinUri }: Made): string =>
  `tbot start identity --destination ./${name} \\\n  --join-uri '${joinUri}'`;

const workflow = ({ joinUri }: Made): string => `permissions:
  contents: read
  id-token: write # or the job gets no ID token
steps:
  - uses: OWNER/tenon/actions/bot-api@REF
    with:
      join-uri: ${joinUri}
  - run: tbot api spawn app-tunnel --app NAME --listen tcp://127.0.0.1:8080`;
