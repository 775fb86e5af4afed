import { accessDenied } from "#base/kernel";
import type { Role, RoleConditions } from "#domain/resources";
import { checkOpen, matchesLabels, type Holder, type Labels } from "./labels.ts";
import { fitsAny } from "./pattern.ts";

/** A database server, and where the certificate says so one database on it and one account. */
export interface DatabaseRoute {
  readonly service: string;
  readonly database?: string;
  readonly username?: string;
}

/** The one thing that a certificate opens: at most one of these is there. */
export interface Routed {
  readonly appName?: string;
  readonly database?: DatabaseRoute;
  readonly kubernetesCluster?: string;
}

/** `application "web"`; nothing for a certificate that is for no one thing. */
export function describeRoute({
  appName,
  database,
  kubernetesCluster,
}: Routed): string | undefined {
  if (appName !== undefined) return `application "${appName}"`;
  if (kubernetesCluster !== undefined) return `Kubernetes cluster "${kubernetesCluster}"`;
  if (database === undefined) return undefined;
  const { service, database: name, username } = database;
  const inside = name === undefined ? "" : `, database "${name}"`;
  return `database server "${service}"${inside}${username === undefined ? "" : ` as "${username}"`}`;
}

/**
 * Throws `access_denied`. One role must allow labels, database and account together; a role that
 * denies any of them denies. What the route leaves open is decided when the database is used.
 */
export function checkDatabase(holder: Holder, route: DatabaseRoute, labels: Labels): void {
  checkOpen("db", holder, { name: route.service, labels });
  const parts = partsOf(route);
  for (const part of parts) {
    const denier = holder.roles.find(({ spec }) => names(spec.deny, part, holder));
    if (denier) throw denied(route, part, `role "${denier.metadata.name}" denies it`);
  }
  const allows = ({ spec: { allow } }: Role, wanted: readonly Part[]): boolean =>
    matchesLabels(allow.db_labels, holder.traits, labels) &&
    wanted.every((part) => names(allow, part, holder));
  if (holder.roles.some((role) => allows(role, parts))) return;
  const missing = parts.find((part) => !holder.roles.some((role) => allows(role, [part])));
  throw denied(route, missing ?? parts[0]!, "no role allows it");
}

interface Part {
  readonly field: "db_names" | "db_users";
  readonly title: string;
  readonly value: string;
}

function partsOf({ database, username }: DatabaseRoute): readonly Part[] {
  return [
    ...(database === undefined
      ? []
      : [{ field: "db_names", title: "database", value: database } as const]),
    ...(username === undefined
      ? []
      : [{ field: "db_users", title: "account", value: username } as const]),
  ];
}

const names = (side: RoleConditions, { field, value }: Part, { traits }: Holder): boolean =>
  fitsAny(side[field], traits, value);

const denied = ({ service }: DatabaseRoute, { field, title, value }: Part, detail: string): Error =>
  accessDenied(
    `access to ${title} "${value}" on database server "${service}" is denied; ask for a role whose ${field} name it`,
    { detail },
  );
