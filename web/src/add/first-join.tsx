import { Notice, Panel } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { activeInstances } from "../api/queries.ts";
import { Copy } from "../copy.tsx";

export interface Made {
  readonly name: string;
  /** Holds the secret, where there is one. */
  readonly joinUri: string;
  readonly github: boolean;
}

/** What to do on the machine, and the moment when it is there. */
export function FirstJoin({ made }: { made: Made }): ReactElement {
  const text = made.github ? workflow(made) : command(made);
  return (
    <>
      <Panel
        title={made.github ? "Steps for a job of the workflow" : "Run this on the machine"}
        actions={<Copy text={text} />}
      >
        <div className="stack">
          {!made.github && (
            <p>
              It holds a secret that is good once, within an hour, and is not shown again: the first
              join spends it.
            </p>
          )}
          <pre tabIndex={0} aria-label="What to run">
            {text}
          </pre>
        </div>
      </Panel>
      <Joined bot={made.name} />
      <div className="row">
        <Link className="button main" to="/bots/$name" params={{ name: made.name }}>
          Show the bot
        </Link>
      </div>
    </>
  );
}

function Joined({ bot }: { bot: string }): ReactElement {
  const { data } = useQuery(activeInstances(bot));
  const [joined] = data ?? [];
  if (!joined) return <Notice tone="soft">Waiting for it to join …</Notice>;
  return (
    <Notice tone="soft">
      <p className="good">
        It joined{joined.hostname && ` from ${joined.hostname}`}, by {joined.join_method}.
      </p>
    </Notice>
  );
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
