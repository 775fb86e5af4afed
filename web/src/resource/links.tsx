import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";

/** Another resource, by its page. */
export const ResourceLink = ({ kind, name }: { kind: string; name: string }): ReactElement =>
  kind === "bot" ? (
    <Link to="/bots/$name" params={{ name }}>
      <bdi>{name}</bdi>
    </Link>
  ) : kind === "token" ? (
    <Link to="/tokens/$name" params={{ name }} search={{ view: "" }}>
      <bdi>{name}</bdi>
    </Link>
  ) : (
    <Link to="/resources/$kind/$name" params={{ kind, name }} search={{ view: "" }}>
      <bdi>{name}</bdi>
    </Link>
  );

/** `user:bot-robot`, as alerts and locks name things. */
export const linkable: ReadonlySet<string> = new Set([
  "user",
  "role",
  "bot",
  "token",
  "app",
  "node",
  "db",
  "kube_cluster",
]);

/** Where the documents of a kind are listed. */
export function listOf(kind: string) {
  if (kind === "token") return { to: "/tokens" } as const;
  if (kind === "bot") return { to: "/bots", search: { search: "" } } as const;
  if (kind === "bot_instance")
    return {
      to: "/instances",
      search: { search: "", bot_name: "", sort: "last_active_at" },
    } as const;
  if (kind === "lock") return { to: "/locks" } as const;
  return { to: "/resources/$kind", params: { kind }, search: { search: "" } } as const;
}
