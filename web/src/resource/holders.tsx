import { Facts, Loading, Panel, Tags } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useAllowed } from "../api/access.ts";
import { ResourceLink } from "./links.tsx";
import { withField } from "./queries.ts";

/** Who has a role: as long as somebody does, it cannot be deleted. */
export function Holders({ role }: { role: string }): ReactElement {
  return (
    <Panel title="Who has it">
      <Facts
        items={[
          ["Users", <Found key="users" kind="user" role={role} />],
          ["Bots", <Found key="bots" kind="bot" role={role} />],
        ]}
      />
    </Panel>
  );
}

function Found({ kind, role }: { kind: string; role: string }): ReactElement {
  const enabled = useAllowed(kind, "list");
  const { data, error } = useQuery({ ...withField(kind, "role", role), enabled });
  if (error || !enabled) return <span className="soft">you may not see them</span>;
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
