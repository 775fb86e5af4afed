import { isDeepStrictEqual } from "node:util";
import { accessDenied, badParameter } from "#base/kernel";
import { checkDatabase, describeRoute, type Holder, type Routed } from "#domain/access";
import type { Resources } from "#domain/resources";
import type { IssueCertificatesRequest } from "@tenon/api/tenon/auth/v1/auth";
import { checkTarget } from "./issue-open.ts";

type Request = Pick<IssueCertificatesRequest, "appName" | "database" | "kubernetesCluster">;

/** What the certificate is to open; `bad_parameter` when that is more than one thing. */
export function routeOf({ appName, database, kubernetesCluster }: Request): Routed {
  const given = [appName !== "", database !== undefined, kubernetesCluster !== ""];
  if (given.filter(Boolean).length > 1)
    throw badParameter(
      "a certificate opens one thing: give app_name, database or kubernetes_cluster",
    );
  if (database?.service === "") throw badParameter("database.service is empty; name the server");
  return {
    ...(appName === "" ? {} : { appName }),
    ...(database === undefined ? {} : { database: databaseOf(database) }),
    ...(kubernetesCluster === "" ? {} : { kubernetesCluster }),
  };
}

function databaseOf({ service, database, username }: NonNullable<Request["database"]>) {
  return {
    service,
    ...(database === "" ? {} : { database }),
    ...(username === "" ? {} : { username }),
  };
}

/** A certificate for one thing does not lead to another one. */
export function checkNarrow(held: Routed, wanted: Routed): void {
  const only = describeRoute(held);
  if (only === undefined || isDeepStrictEqual(routeIn(wanted), routeIn(held))) return;
  throw accessDenied(`the certificate is for ${only} alone; use the identity it came from`);
}

const routeIn = ({ appName, database, kubernetesCluster }: Routed): readonly unknown[] => [
  appName,
  database,
  kubernetesCluster,
];

/** Throws `not_found` or `access_denied`. */
export async function checkRoute(
  route: Routed,
  holder: Holder,
  resources: Resources,
): Promise<void> {
  const { appName, database, kubernetesCluster } = route;
  if (appName !== undefined) await checkTarget({ kind: "app", name: appName }, holder, resources);
  if (kubernetesCluster !== undefined)
    await checkTarget({ kind: "kube_cluster", name: kubernetesCluster }, holder, resources);
  if (database === undefined) return;
  const target = { kind: "db", name: database.service } as const;
  const { documents } = await checkTarget(target, holder, resources);
  checkDatabase(holder, database, documents[0].metadata.labels);
}

/** As the audit log tells of it. */
export function routeFields({ appName, database, kubernetesCluster }: Request) {
  return {
    ...(appName === "" ? {} : { app: appName }),
    ...(database === undefined
      ? {}
      : { db: database.service, db_name: database.database, db_user: database.username }),
    ...(kubernetesCluster === "" ? {} : { kube_cluster: kubernetesCluster }),
  };
}
