import { Link, type LinkProps } from "@tanstack/react-router";
import type { ComponentType, ReactElement } from "react";
import { AlertCount } from "./alerts.tsx";
import { useForbidden } from "./api/access.ts";

interface Place {
  readonly text: string;
  /** Who may not list these does not see the place. */
  readonly kind: string;
  readonly to: LinkProps;
  readonly Beside?: ComponentType;
}

const ofKind = (kind: string): LinkProps => ({
  to: "/resources/$kind",
  params: { kind },
  search: { search: "" },
});

const groups: readonly { readonly title: string; readonly places: readonly Place[] }[] = [
  {
    title: "Machines",
    places: [
      { text: "Bots", kind: "bot", to: { to: "/bots", search: { search: "" } } },
      {
        text: "Instances",
        kind: "bot_instance",
        to: { to: "/instances", search: { search: "", bot_name: "", sort: "last_active_at" } },
      },
      { text: "Join tokens", kind: "token", to: { to: "/tokens" } },
    ],
  },
  {
    title: "Access",
    places: [
      { text: "Roles", kind: "role", to: ofKind("role") },
      { text: "Users", kind: "user", to: ofKind("user") },
      { text: "Locks", kind: "lock", to: { to: "/locks" } },
    ],
  },
  {
    title: "Resources",
    places: [
      { text: "Applications", kind: "app", to: ofKind("app") },
      { text: "Nodes", kind: "node", to: ofKind("node") },
      { text: "Databases", kind: "db", to: ofKind("db") },
      { text: "Kubernetes", kind: "kube_cluster", to: ofKind("kube_cluster") },
    ],
  },
  {
    title: "Cluster",
    places: [
      {
        text: "Audit log",
        kind: "event",
        to: { to: "/audit", search: {} },
      },
      { text: "Status", kind: "status", to: { to: "/cluster" }, Beside: AlertCount },
    ],
  },
];

const reading: Readonly<Record<string, string>> = { status: "read" };
/** A filter does not lead elsewhere. */
const anySearch = { includeSearch: false };

/** Where one can go, for whom the roles let. */
export function Navigation({ id, onGo }: { id: string; onGo: () => void }): ReactElement {
  const forbidden = useForbidden();
  const may = ({ kind }: Place): boolean => forbidden(kind, reading[kind] ?? "list") === undefined;
  return (
    <nav aria-label="Main" id={id}>
      {groups
        .map(({ title, places }) => ({ title, places: places.filter(may) }))
        .filter(({ places }) => places.length > 0)
        .map(({ title, places }) => (
          <section key={title} aria-label={title}>
            <p className="soft">{title}</p>
            {places.map(({ text, to, Beside }) => (
              <Link key={text} {...to} activeOptions={anySearch} onClick={onGo}>
                {text}
                {Beside && <Beside />}
              </Link>
            ))}
          </section>
        ))}
    </nav>
  );
}
