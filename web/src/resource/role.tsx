import { Facts, Panel, Tags } from "@tenon/ui";
import type { ReactElement } from "react";
import { text } from "../values.ts";
import { Conditions } from "./conditions.tsx";
import type { FactsProps } from "./facts.tsx";
import { Holders } from "./holders.tsx";
import { commonFacts } from "./plain.tsx";

export const RoleFacts = ({ document }: FactsProps): ReactElement => {
  const { metadata, spec } = document;
  const options = spec["options"] as Record<string, unknown> | undefined;
  return (
    <>
      <div className="columns">
        <Panel title="The role">
          <Facts
            items={[
              ["Longest session", text(options?.["max_session_ttl"]) || "12h"],
              [
                "Second factor",
                options?.["require_mfa_for_admin"] === true
                  ? "before administrative actions"
                  : "as the page asks for it",
              ],
              ...commonFacts({ document }),
            ]}
          />
        </Panel>
        <Holders role={metadata.name} />
      </div>
      <Conditions title="What it allows" conditions={spec["allow"]} none="nothing by itself" />
      <Conditions
        title="What it denies, whatever other roles allow"
        conditions={spec["deny"]}
        none="nothing"
      />
    </>
  );
};

export const Names = ({ items }: { items: readonly string[] }): ReactElement => (
  <Tags
    none="none"
    items={items.map((each) => (
      <bdi key={each} className="mono">
        {each}
      </bdi>
    ))}
  />
);
