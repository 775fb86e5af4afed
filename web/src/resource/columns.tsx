import { Badge, Tags, Time, type Column } from "@tenon/ui";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import type { Document } from "../api/types.ts";
import { entries, text, words } from "../values.ts";
import { ResourceLink } from "./links.tsx";
import { Labels } from "./plain.tsx";
import { appName } from "./title.ts";
import { botOf } from "./user.tsx";

type Columns = readonly Column<Document>[];

const spec =
  (name: string): ((document: Document) => string) =>
  (document) =>
    text(document.spec[name]);

const name: Column<Document> = {
  heading: "Name",
  width: "minmax(8rem, 1fr)",
  sort: "name",
  cell: ({ kind, metadata }) => <ResourceLink kind={kind} name={metadata.name} />,
};

const labels: Column<Document> = {
  heading: "Labels",
  wide: true,
  width: "1.5fr",
  cell: ({ metadata }) => <Labels labels={metadata.labels ?? {}} />,
};

const plain = (heading: string, field: string, width: string): Column<Document> => ({
  heading,
  width,
  cell: (document) => <bdi>{spec(field)(document) || "—"}</bdi>,
});

const roleSide = (document: Document, field: string): [string, unknown][] =>
  entries(new Map(entries(document.spec["allow"])).get(field)) as [string, unknown][];

const columns: Readonly<Record<string, Columns>> = {
  user: [
    name,
    {
      heading: "Roles",
      width: "2fr",
      cell: (document) => (
        <Tags
          none="none"
          items={words(document.spec["roles"]).map((role) => (
            <ResourceLink key={role} kind="role" name={role} />
          ))}
        />
      ),
    },
    {
      heading: "Who",
      wide: true,
      width: "7rem",
      cell: (document) =>
        botOf({ document }) === undefined ? "a person" : <Badge tone="soft">a bot</Badge>,
    },
    { ...plain("Created by", "created_by", "9rem"), wide: true },
  ],
  role: [
    name,
    {
      heading: "Accounts on nodes",
      wide: true,
      width: "1fr",
      cell: (document) => (
        <Tags none="—" items={words(new Map(entries(document.spec["allow"])).get("logins"))} />
      ),
    },
    {
      heading: "Applications",
      width: "1fr",
      cell: (document) => <Matched matchers={roleSide(document, "app_labels")} />,
    },
    {
      heading: "Rules",
      wide: true,
      width: "1.5fr",
      cell: (document) => <RuleWords document={document} />,
    },
  ],
  app: [
    {
      ...name,
      heading: "Application",
      cell: (document) => <ResourceLinkAs document={document} title={appName(document)} />,
    },
    plain("Address", "uri", "1.5fr"),
    {
      heading: "Agent",
      wide: true,
      width: "6rem",
      cell: (document) => <bdi className="mono">{spec("host_id")(document).slice(0, 8)}</bdi>,
    },
    {
      heading: "Announced until",
      wide: true,
      width: "8rem",
      cell: ({ metadata }) => <Time at={metadata.expires ?? ""} none="—" />,
    },
    labels,
  ],
  node: [
    name,
    { ...plain("Host", "hostname", "1fr"), wide: true },
    plain("Address", "addr", "1fr"),
    labels,
  ],
  db: [
    name,
    { ...plain("Protocol", "protocol", "8rem"), wide: true },
    plain("Address", "uri", "1fr"),
    labels,
  ],
  kube_cluster: [name, plain("API server", "api_server", "1.5fr"), labels],
};

const others: Columns = [
  name,
  {
    heading: "Description",
    width: "1.5fr",
    cell: ({ metadata }) => <bdi>{metadata.description ?? "—"}</bdi>,
  },
  labels,
];

/** What a person wants to see of each kind. */
export const columnsOf = (kind: string): Columns =>
  Object.hasOwn(columns, kind) ? columns[kind]! : others;

const ResourceLinkAs = ({
  document,
  title,
}: {
  document: Document;
  title: string;
}): ReactElement => (
  <Link
    to="/resources/$kind/$name"
    params={{ kind: document.kind, name: document.metadata.name }}
    search={{ view: "" }}
  >
    <bdi>{title}</bdi>
  </Link>
);

const Matched = ({ matchers }: { matchers: readonly [string, unknown][] }): ReactElement => {
  const said = matchers.map(([label, values]) => `${label}=${words(values).join("|")}`);
  const every = matchers.some(([label]) => label === "*");
  return <bdi title={said.join(", ")}>{every ? "every one" : said.join(", ") || "—"}</bdi>;
};

const RuleWords = ({ document }: { document: Document }): ReactElement => {
  const found = new Map(entries(document.spec["allow"])).get("rules");
  const rules = (Array.isArray(found) ? found : []).map((rule) => {
    const parts = new Map(entries(rule));
    return `${words(parts.get("verbs")).join(", ")}: ${words(parts.get("resources")).join(", ")}`;
  });
  return (
    <bdi className="soft" title={rules.join("\n")}>
      {rules.join("; ") || "—"}
    </bdi>
  );
};
