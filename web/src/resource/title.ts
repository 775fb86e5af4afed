import type { Document } from "../api/types.ts";

/** A `token` opens the cluster to whoever knows its name. */
export const isSecretName = ({ kind, spec }: Document): boolean =>
  kind === "token" && spec["join_method"] === "token";

/** Stored as `<app>:<host>`: several agents may serve one application. */
export const appName = ({ metadata }: Document): string => metadata.name.split(":", 1)[0]!;

const SHOWN = 4;
const LONG = 16;

/** The name as a page may show it: of a secret one, no more than its beginning. */
export function titleOf(document: Document): string {
  const { name } = document.metadata;
  if (document.kind === "app") return appName(document);
  if (!isSecretName(document)) return name;
  return name.length >= LONG ? `${name.slice(0, SHOWN)}…` : "…";
}
