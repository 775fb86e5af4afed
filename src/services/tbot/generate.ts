import { duration } from "#base/config";
import { badParameter, type Logger } from "#base/kernel";
import type { CredentialSource, GeneratedIdentity, IdentityRequest } from "#services/bot-client";
import * as z from "zod";
import { identityFiles, kubernetesFiles, routeFiles } from "./artifacts.ts";
import type { Artifact } from "./destinations/destination.ts";
import { openDestination } from "./destinations/index.ts";
import { appName, destination, roles, specificTlsExtensions, sshConfig } from "./fields.ts";

const name = z.string().min(1);

/** What every credential that is asked for once has, whatever it opens. */
const common = {
  out: destination.meta({
    placeholder: "path",
    description: "directory to write to: a path or file:///path",
  }),
  roles: roles.meta({ description: "roles to ask for; default: all that the socket gives" }),
  ttl: duration
    .optional()
    .meta({ description: "lifetime of the certificate; default: the most that the socket gives" }),
  cluster: name
    .optional()
    .meta({ description: "name of the cluster; refused when the bot belongs to another" }),
};

interface Kind<S extends z.ZodObject> {
  readonly aliases: readonly string[];
  readonly summary: string;
  readonly schema: S;
  readonly request: (options: z.output<S>) => IdentityRequest;
  readonly artifacts: (
    identity: GeneratedIdentity,
    where: string,
    options: z.output<S>,
  ) => readonly Artifact[];
}

const kind = <S extends z.ZodObject>(value: Kind<S>): Kind<S> => value;

/** What `tbot generate` can write: the same files as the services of these types. */
export const generateKinds = {
  identity: kind({
    aliases: ["ssh", "id"],
    summary: "SSH and TLS credentials, for ssh, tctl and your own programs",
    schema: z.strictObject({ ...common, ssh_config: sshConfig }),
    request: () => ({}),
    artifacts: identityFiles,
  }),
  application: kind({
    aliases: ["app"],
    summary: "a TLS certificate for one application, for curl and other HTTP clients",
    schema: z.strictObject({
      app_name: appName,
      ...common,
      specific_tls_extensions: specificTlsExtensions,
    }),
    request: ({ app_name: application }) => ({ application }),
    artifacts: (identity, _where, options) => routeFiles(identity, options),
  }),
  database: kind({
    aliases: ["db"],
    summary: "a TLS certificate for one database",
    schema: z.strictObject({
      service: name.meta({ description: "name of the database server in the cluster" }),
      database: name.optional().meta({ description: "the database on it; default: any" }),
      username: name.optional().meta({ description: "the account in it; default: any" }),
      ...common,
      specific_tls_extensions: specificTlsExtensions,
    }),
    request: ({ service, database, username }) => ({
      database: {
        service,
        ...(database === undefined ? {} : { database }),
        ...(username === undefined ? {} : { username }),
      },
    }),
    artifacts: (identity, _where, options) => routeFiles(identity, options),
  }),
  kubernetes: kind({
    aliases: ["k8s"],
    summary: "a kubeconfig.yaml for one Kubernetes cluster",
    schema: z.strictObject({
      kubernetes_cluster: name.meta({ description: "name of the Kubernetes cluster" }),
      ...common,
    }),
    request: ({ kubernetes_cluster: kubernetes }) => ({ kubernetes }),
    artifacts: (identity, _where, options) => kubernetesFiles(identity, options.kubernetes_cluster),
  }),
} as const;

export type GenerateKind = keyof typeof generateKinds;

/** Asks once, and writes what it got; nothing is written, or asked for, where it could not be used. */
export async function generateOutput<K extends GenerateKind>(wanted: {
  readonly kind: K;
  readonly options: z.output<(typeof generateKinds)[K]["schema"]>;
  readonly source: CredentialSource;
  readonly signal: AbortSignal;
  readonly log: Logger;
}): Promise<{ readonly expires: number; readonly where: string; readonly names: string[] }> {
  const { source, signal, log } = wanted;
  // The table's key chose both, so this pair fits.
  const { request, artifacts } = generateKinds[wanted.kind] as unknown as Kind<typeof anyKind>;
  const options = wanted.options as z.output<typeof anyKind>;
  if (options.out.type !== "directory")
    throw badParameter("--out must be a directory: what is kept in memory ends with this command");
  const place = openDestination(options.out, { log });
  await checkCluster(source, options.cluster);
  await place.prepare();
  const { roles: only, ttl } = options;
  const identity = await source.generateIdentity({
    ...request(options),
    roles: only,
    ...(ttl === undefined ? {} : { ttl }),
    signal,
  });
  const files = artifacts(identity, place.toString(), options);
  await place.write(files);
  return {
    expires: identity.expires,
    where: place.toString(),
    names: files.map(({ name: file }) => file),
  };
}

const anyKind = z.strictObject(common);

async function checkCluster(source: CredentialSource, wanted: string | undefined): Promise<void> {
  if (wanted === undefined) return;
  const { clusterName } = await source.getTrust();
  if (clusterName !== wanted)
    throw badParameter(`the bot belongs to the cluster "${clusterName}", not to "${wanted}"`);
}
