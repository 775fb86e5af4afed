import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { lazy, type ReactElement } from "react";
import type { View } from "../draft/editor.tsx";
import { Details } from "./details.tsx";

/** Forms and what reads YAML come only when something is changed. */
const EditResource = lazy(async () => ({ default: (await import("./edit.tsx")).EditResource }));

export function ResourcePage(): ReactElement {
  const params = useParams({ from: "/shell/resources/$kind/$name" });
  const { view } = useSearch({ from: "/shell/resources/$kind/$name" });
  const navigate = useNavigate();
  const show = (next: View | ""): void =>
    void navigate({ to: "/resources/$kind/$name", params, search: { view: next }, replace: true });
  return <Resource kind={params.kind} id={params.name} view={view} onView={show} />;
}

/** A join token has an address of its own, as its bot's page links to it. */
export function TokenPage(): ReactElement {
  const { name } = useParams({ from: "/shell/tokens/$name" });
  const { view } = useSearch({ from: "/shell/tokens/$name" });
  const navigate = useNavigate();
  const show = (next: View | ""): void =>
    void navigate({ to: "/tokens/$name", params: { name }, search: { view: next }, replace: true });
  return <Resource kind="token" id={name} view={view} onView={show} />;
}

export interface ResourceProps {
  readonly kind: string;
  /** What its address calls it: its name, but for tokens whose name is the secret. */
  readonly id: string;
  readonly onView: (view: View | "") => void;
}

const Resource = ({ view, ...about }: ResourceProps & { view: View | "" }): ReactElement =>
  view === "" ? <Details {...about} /> : <EditResource {...about} view={view} />;
