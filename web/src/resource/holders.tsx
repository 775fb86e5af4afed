import { Facts, Loading, Panel, Tags } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import type { Document, Page } from "../api/types.ts";
import { ResourceLink } from "./links.tsx";
import { withField } from "./queries.ts";

/** Who has a role: as long as somebody does, it cannot be deleted. */
export function Holders({ role }: { role: string }): ReactElement {
  const users = useQuery(withField("user", "role", role));
  const bots = useQuery(withField("bot", "role", role));
  return (
    <Panel title="Who has it">
      <Facts
        items={[
          ["Users", <Found key="users" kind="user" result={users} />],
          ["Bots", <Found key="bots" kind="bot" result={bots} />],
        ]}
      />
    </Panel>
  );
}

function Found({
  kind,
  result: { data, error },
}: {
  kind: string;
  result: { data: Page<Document> | undefined; error: unknown };
}): ReactElement {
  if (error) return <span className="soft">you may not see them</span>;
  if (!data) return <Loading />;
  return (
    <>
      <Tags
        none="none"
        items={data.items.map(({ metadata }) => (
          <ResourceLink key={metadata.name} kind={kind} name={metadata.name} />
        ))}
      />
      {data.next_key !== "" && <span className="soft">and more</span>}
    </>
  );
}
