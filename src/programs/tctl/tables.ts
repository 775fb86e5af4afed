import { formatTable, type Column } from "#base/cli";
import {
  appName,
  lastActiveAt,
  lockTargetKey,
  recoveriesLeft,
  type AnyResource,
  type KindName,
  type ResourceOf,
} from "#domain/resources";
import { secondsOf } from "./time.ts";

type Columns<K extends KindName> = readonly Column<ResourceOf<K>>[];

const name = {
  heading: "Name",
  cell: ({ metadata }: { metadata: { name: string } }): string => metadata.name,
};
const expires = {
  heading: "Expires",
  cell: ({ metadata }: { metadata: { expires?: string | undefined } }): string =>
    metadata.expires ? secondsOf(metadata.expires) : "never",
};
const labels = {
  heading: "Labels",
  cell: ({ metadata }: { metadata: { labels: Readonly<Record<string, string>> } }): string =>
    pairs(metadata.labels),
};

/** What a person wants to see of each kind. */
export const columns: { readonly [K in KindName]: Columns<K> } = {
  user: [
    name,
    { heading: "Roles", cell: ({ spec }) => list(spec.roles) },
    { heading: "Traits", cell: ({ spec }) => matchers(spec.traits) },
    { heading: "Created by", cell: ({ spec }) => spec.created_by },
  ],
  role: [
    name,
    { heading: "Logins", cell: ({ spec }) => list(spec.allow.logins) },
    { heading: "Applications", cell: ({ spec }) => matchers(spec.allow.app_labels) },
    { heading: "Rules", cell: ({ spec }) => spec.allow.rules.map(ruleOf).join("; ") },
    { heading: "Longest session", cell: ({ spec }) => spec.options.max_session_ttl },
  ],
  bot: [
    name,
    { heading: "Roles", cell: ({ spec }) => list(spec.roles) },
    { heading: "Longest session", cell: ({ spec }) => spec.max_session_ttl },
    labels,
  ],
  bot_instance: [
    { heading: "Bot", cell: ({ spec }) => spec.bot_name },
    { heading: "Instance", cell: ({ spec }) => spec.instance_id },
    { heading: "Generation", cell: ({ status }) => status?.generation, align: "right" },
    { heading: "Host", cell: ({ status }) => status?.latest_heartbeats.at(-1)?.hostname },
    { heading: "Last active", cell: (instance) => secondsOf(lastActiveAt(instance)) },
    { heading: "Services", cell: ({ status }) => healthOf(status?.service_health ?? []) },
  ],
  token: [
    name,
    { heading: "Method", cell: ({ spec }) => spec.join_method },
    { heading: "Roles", cell: ({ spec }) => list(spec.roles) },
    { heading: "Bot", cell: ({ spec }) => spec.bot_name },
    { heading: "Recoveries", cell: (token) => recoveriesUsed(token), align: "right" },
    { heading: "Joins left", cell: (token) => joinsLeft(token), align: "right" },
    expires,
  ],
  lock: [
    name,
    { heading: "Target", cell: (lock) => lockTargetKey(lock) },
    { heading: "Message", cell: ({ spec }) => spec.message },
    { heading: "Until", cell: ({ spec }) => (spec.expires ? secondsOf(spec.expires) : "removed") },
  ],
  node: [
    name,
    { heading: "Host", cell: ({ spec }) => spec.hostname },
    { heading: "Address", cell: ({ spec }) => spec.addr },
    labels,
  ],
  app: [
    { heading: "Name", cell: (app) => appName(app) },
    { heading: "Address", cell: ({ spec }) => spec.uri },
    { heading: "Agent", cell: ({ spec }) => spec.host_id },
    labels,
  ],
  db: [
    name,
    { heading: "Protocol", cell: ({ spec }) => spec.protocol },
    { heading: "Address", cell: ({ spec }) => spec.uri },
    labels,
  ],
  kube_cluster: [name, { heading: "Address", cell: ({ spec }) => spec.api_server }, labels],
  cert_authority: [
    name,
    { heading: "Phase", cell: ({ status }) => status?.phase },
    { heading: "Key", cell: ({ spec }) => spec.active.key_id },
    { heading: "Since", cell: ({ spec }) => secondsOf(spec.active.created_at) },
  ],
  cluster_config: [
    name,
    { heading: "Cluster", cell: ({ spec }) => spec.cluster_name },
    { heading: "Credentials", cell: ({ spec }) => spec.default_credential_ttl },
    { heading: "At most", cell: ({ spec }) => spec.max_credential_ttl },
  ],
};

export function tableOf(kind: KindName, documents: readonly AnyResource[]): string {
  // The table above has the columns of each kind under its name.
  return formatTable(documents, columns[kind] as readonly Column<AnyResource>[], noneOf(kind));
}

const noneOf = (kind: KindName): string => `No ${kind.replaceAll("_", " ")} found.`;

/** What is left of the recoveries; a `token` is good for one join, then it is gone. */
export function joinsLeft(token: ResourceOf<"token">): number | string {
  if (token.spec.join_method === "token") return 1;
  return recoveriesLeft(token) ?? "unlimited";
}

/** How many its machine has used, the first join counted; nothing where nobody counts. */
export const recoveriesUsed = ({ spec, status }: ResourceOf<"token">): number | undefined =>
  spec.join_method === "bound_keypair" ? (status?.bound_keypair?.recovery_count ?? 0) : undefined;

const list = (values: readonly string[]): string => values.join(", ");

const pairs = (record: Readonly<Record<string, string>>): string =>
  Object.entries(record)
    .map(([key, value]) => `${key}=${value}`)
    .join(", ");

const matchers = (record: Readonly<Record<string, readonly string[]>>): string =>
  Object.entries(record)
    .map(([key, values]) => `${key}=${values.join("|")}`)
    .join(", ");

const ruleOf = (rule: { resources: readonly string[]; verbs: readonly string[] }): string =>
  `${rule.verbs.join(",")} ${rule.resources.join(",")}`;

/** `2 healthy, 1 failed` */
function healthOf(services: readonly { status: string }[]): string {
  const counts = Map.groupBy(services, ({ status }) => status);
  return [...counts].map(([status, { length }]) => `${length} ${status}`).join(", ");
}
