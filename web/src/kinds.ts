/** What the page knows of each kind beside its documents. */
export interface KindWords {
  readonly many: string;
  readonly one: string;
  /** Who writes it: people here, or only the cluster itself. */
  readonly written: "here" | "by the cluster";
}

/** Kinds that can be written in a form; every other is written as YAML. */
const withForm: ReadonlySet<string> = new Set([
  "token",
  "role",
  "user",
  "cluster_config",
  "node",
  "db",
  "kube_cluster",
]);

export const hasForm = (kind: string): boolean => withForm.has(kind);

const kinds: Readonly<Record<string, KindWords>> = {
  user: { many: "Users", one: "user", written: "here" },
  role: { many: "Roles", one: "role", written: "here" },
  bot: { many: "Bots", one: "bot", written: "here" },
  bot_instance: { many: "Instances", one: "instance", written: "by the cluster" },
  token: { many: "Join tokens", one: "join token", written: "here" },
  lock: { many: "Locks", one: "lock", written: "here" },
  node: { many: "Nodes", one: "node", written: "here" },
  app: { many: "Applications", one: "application", written: "by the cluster" },
  db: { many: "Databases", one: "database", written: "here" },
  kube_cluster: { many: "Kubernetes clusters", one: "Kubernetes cluster", written: "here" },
  cert_authority: { many: "Authorities", one: "authority", written: "by the cluster" },
  cluster_config: { many: "Settings", one: "settings of the cluster", written: "here" },
};

const fieldWords: Readonly<Record<string, string>> = {
  addr: "Address",
  uri: "Address",
  api_server: "API server",
  default_credential_ttl: "Credentials last",
  max_credential_ttl: "Credentials last at most",
  max_bot_identity_ttl: "A bot’s identity lasts at most",
  recovery_alert_threshold: "Alert below so many recoveries",
  audit_retention: "Events are kept",
};

/** What a field of a document is called where it has no words of its own. */
export function fieldOf(name: string): string {
  if (Object.hasOwn(fieldWords, name)) return fieldWords[name]!;
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A kind that this page does not know yet is shown under its own name, and written as YAML. */
export const wordsOf = (kind: string): KindWords =>
  Object.hasOwn(kinds, kind)
    ? kinds[kind]!
    : { many: kind, one: kind.replaceAll("_", " "), written: "here" };
