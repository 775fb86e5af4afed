import { Facts, Panel, Tags } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { entries, text, words } from "../values.ts";
import type { FactsProps } from "./facts.tsx";
import { ResourceLink } from "./links.tsx";
import { commonFacts } from "./plain.tsx";
import { waysIn, type WaysIn } from "../people/queries.ts";

const BOT_LABEL = "tenon.internal/bot";

/** The bot whose user it is; nothing for a person. */
export const botOf = ({ document }: FactsProps): string | undefined =>
  document.metadata.labels?.[BOT_LABEL];

export const UserFacts = ({ document }: FactsProps): ReactElement => {
  const { metadata, spec } = document;
  const bot = botOf({ document });
  return (
    <div className="columns">
      <Panel title={bot === undefined ? "The user" : "The user of a bot"}>
        <Facts
          items={[
            bot === undefined
              ? ["Signs in with", <Ways key="ways" user={metadata.name} />]
              : ["Bot", <ResourceLink key="bot" kind="bot" name={bot} />],
            ["Created by", <bdi key="by">{text(spec["created_by"]) || "—"}</bdi>],
            ...commonFacts({ document }),
          ]}
        />
      </Panel>
      <Panel title="Roles and traits">
        <Facts
          items={[
            [
              "Roles",
              <Tags
                key="roles"
                none="none: may do nothing"
                items={words(spec["roles"]).map((name) => (
                  <ResourceLink key={name} kind="role" name={name} />
                ))}
              />,
            ],
            ...entries(spec["traits"]).map(
              ([name, values]) =>
                [name, <Tags key={name} items={words(values)} none="no value" />] as const,
            ),
          ]}
        />
      </Panel>
    </div>
  );
};

function Ways({ user }: { user: string }): ReactElement {
  const { data, error } = useQuery(waysIn(user));
  if (error) return <span className="soft">you may not see this</span>;
  return <>{data ? sentence(data) : "…"}</>;
}

function sentence({ password, passkeys }: WaysIn): string {
  const ways = [
    ...(password ? ["a password with an authenticator app"] : []),
    ...(passkeys > 0 ? [passkeys === 1 ? "a passkey" : `${passkeys} passkeys`] : []),
  ];
  return ways.length > 0 ? ways.join(", or ") : "nothing yet: has not taken up an invitation";
}
