import { Facts, Panel, Tags, Time } from "@tenon/ui";
import type { ReactElement, ReactNode } from "react";
import { fieldOf } from "../kinds.ts";
import type { FactsProps } from "./facts.tsx";

type Fact = readonly [name: string, value: ReactNode];

/** What documents of every kind have. */
export const commonFacts = ({ document: { metadata } }: FactsProps): Fact[] => [
  ...(metadata.description
    ? [["Description", <bdi key="description">{metadata.description}</bdi>] as const]
    : []),
  ["Labels", <Labels key="labels" labels={metadata.labels ?? {}} />],
  ...(metadata.expires ? [["Ends", <Time key="ends" at={metadata.expires} />] as const] : []),
];

export const Labels = ({ labels }: { labels: Readonly<Record<string, string>> }): ReactElement => (
  <Tags
    none="none"
    items={Object.entries(labels).map(([name, value]) => (
      <bdi key={name}>
        {name}={value}
      </bdi>
    ))}
  />
);

export const PlainFacts = ({ document }: FactsProps): ReactElement => (
  <Panel title="What it is">
    <Facts
      items={[
        ...Object.entries(document.spec)
          .filter(([, value]) => typeof value !== "object")
          .map(([name, value]): Fact => [fieldOf(name), <bdi key={name}>{String(value)}</bdi>]),
        ...commonFacts({ document }),
      ]}
    />
  </Panel>
);
