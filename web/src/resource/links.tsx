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
