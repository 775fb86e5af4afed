import { Panel } from "@tenon/ui";
import type { ReactElement, ReactNode } from "react";
import { entries, words } from "../values.ts";
import { Names } from "./role.tsx";

const openers = [
  ["Nodes", "node_labels"],
  ["Applications", "app_labels"],
  ["Databases", "db_labels"],
  ["Kubernetes clusters", "kubernetes_labels"],
  ["Workload identities", "workload_identity_labels"],
] as const;

const lists = [
  ["Accounts on nodes", "logins"],
  ["Names of databases", "db_names"],
  ["Accounts in databases", "db_users"],
  ["Groups in Kubernetes", "kubernetes_groups"],
] as const;

/** One side of a role, in words: only what it says something about. */
export function Conditions({
  title,
  conditions,
  none,
}: {
  title: string;
  conditions: unknown;
  none: string;
}): ReactElement {
  const found = new Map(entries(conditions));
  const rows: (readonly [string, ReactNode])[] = [
    ...openers
      .map(([name, field]) => [name, entries(found.get(field))] as const)
      .filter(([, matchers]) => matchers.length > 0)
      .map(([name, matchers]) => [name, <Matchers key={name} matchers={matchers} />] as const),
    ...lists
      .map(([name, field]) => [name, words(found.get(field))] as const)
      .filter(([, items]) => items.length > 0)
      .map(([name, items]) => [name, <Names key={name} items={items} />] as const),
    ...(["roles", "users"] as const)
      .map((what) => [what, words(new Map(entries(found.get("impersonate"))).get(what))] as const)
      .filter(([, items]) => items.length > 0)
      .map(([what, items]) => [`May act as ${what}`, <Names key={what} items={items} />] as const),
  ];
  const rules = Array.isArray(found.get("rules")) ? (found.get("rules") as unknown[]) : [];
  return (
    <Panel title={title} flush>
      {rows.length === 0 && rules.length === 0 && <p className="empty">{none}</p>}
      {rows.length > 0 && (
        <table className="plain">
          <tbody>
            {rows.map(([name, value]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{value}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {rules.length > 0 && (
        <table className="plain">
          <thead>
            <tr>
              <th scope="col">Resources</th>
              <th scope="col">What may be done</th>
            </tr>
          </thead>
          <tbody>
            {rules.map((rule, index) => {
              const parts = new Map(entries(rule));
              return (
                // oxlint-disable-next-line react/no-array-index-key -- a rule is known by its place only.
                <tr key={index}>
                  <td>
                    <Names items={words(parts.get("resources"))} />
                  </td>
                  <td>
                    <Names items={words(parts.get("verbs"))} />
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </Panel>
  );
}

/** `env is prod or staging, and team is any`. */
function Matchers({
  matchers,
}: {
  matchers: readonly (readonly [string, unknown])[];
}): ReactElement {
  const every = matchers.length === 1 && matchers[0]![0] === "*";
  if (every) return <>every one</>;
  return (
    <>
      {matchers.map(([label, values], index) => (
        <span key={label}>
          {index > 0 && ", and "}
          <bdi className="mono">{label}</bdi> is{" "}
          {words(values).map((value, at) => (
            <span key={value}>
              {at > 0 && " or "}
              {value === "*" ? "anything" : <bdi className="mono">{value}</bdi>}
            </span>
          ))}
        </span>
      ))}
    </>
  );
}
