import { Badge, Facts, Panel, Time } from "@tenon/ui";
import type { ReactElement } from "react";
import { text } from "../values.ts";
import type { FactsProps } from "./facts.tsx";
import { linkable, ResourceLink } from "./links.tsx";

/** The kind that a target is a name of. */
const kindOfTarget: Readonly<Record<string, string>> = { join_token: "token" };

export const LockFacts = ({ document: { spec } }: FactsProps): ReactElement => (
  <Panel title="What it cuts off">
    <Facts
      items={[
        ["Target", <Targets key="target" targets={spec["target"] as Record<string, string>} />],
        ["Message", <bdi key="message">{text(spec["message"]) || "—"}</bdi>],
        ["By", text(spec["created_by"]) || "—"],
        ["Since", <Time key="since" at={text(spec["created_at"])} none="—" />],
        ["Ends", <Time key="ends" at={text(spec["expires"])} none="when it is removed" />],
        ["State", <LockState key="state" expires={text(spec["expires"])} />],
      ]}
    />
  </Panel>
);

export const LockState = ({ expires }: { expires: string }): ReactElement =>
  expires === "" || Date.parse(expires) > Date.now() ? (
    <Badge tone="bad">in force</Badge>
  ) : (
    <Badge tone="soft">past</Badge>
  );

export const Targets = ({
  targets,
}: {
  targets: Readonly<Record<string, string>>;
}): ReactElement => (
  <>
    {Object.entries(targets).map(([target, name]) => {
      const kind = kindOfTarget[target] ?? target;
      return (
        <span key={target}>
          <span className="soft">{target.replaceAll("_", " ")}</span>{" "}
          {linkable.has(kind) ? <ResourceLink kind={kind} name={name} /> : <bdi>{name}</bdi>}
        </span>
      );
    })}
  </>
);
