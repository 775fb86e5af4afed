import { Facts, Loading, Panel, Tags } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useAllowed } from "../api/access.ts";
import { Problem } from "../api/factor.tsx";
import type { FactsProps } from "./facts.tsx";
import { ResourceLink } from "./links.tsx";
import { PlainFacts } from "./plain.tsx";
import { openersOf } from "./queries.ts";

/** What roles open by its labels. */
export const OpenableFacts = ({ document }: FactsProps): ReactElement => (
  <div className="columns">
    <PlainFacts document={document} />
    <Openers document={document} />
  </div>
);

/** By which roles one reaches it; nothing for who may not see roles. */
export function Openers({ document: { kind, metadata } }: FactsProps): ReactElement | null {
  const enabled = useAllowed("role", "list");
  const { data, error, refetch } = useQuery({ ...openersOf(kind, metadata.name), enabled });
  if (!enabled) return null;
  return (
    <Panel title="Who may reach it">
      {error ? (
        <Problem error={error} what="Viewing this" retry={() => void refetch()} />
      ) : !data ? (
        <Loading />
      ) : (
        <Facts
          items={[
            ["Roles that allow it", <Roles key="allow" names={data.allow} none="none" />],
            ["Roles that deny it", <Roles key="deny" names={data.deny} none="none" />],
            ["By traits of the user", <Roles key="traits" names={data.by_traits} none="none" />],
          ]}
        />
      )}
    </Panel>
  );
}

const Roles = ({ names, none }: { names: readonly string[]; none: string }): ReactElement => (
  <Tags
    none={none}
    items={names.map((name) => (
      <ResourceLink key={name} kind="role" name={name} />
    ))}
  />
);
