import { duration } from "#base/config";
import * as z from "zod";
import { defineKind, type Resource } from "./kind.ts";
import { grantedNames } from "./user.ts";

/** `{{internal.logins}}`: stands for each value of a trait of the caller. */
const TEMPLATE = /^([^{}]*)\{\{\s*(?:internal|external)\.([\w.-]+)\s*\}\}([^{}]*)$/;

/** The trait that a text names and what stands around it; nothing for a plain text. */
export function templateOf(
  text: string,
): { readonly before: string; readonly trait: string; readonly after: string } | undefined {
  const [, before, trait, after] = TEMPLATE.exec(text) ?? [];
  return trait === undefined ? undefined : { before: before!, trait, after: after! };
}

const template = z
  .string()
  .min(1)
  .refine((text) => !/\{\{|\}\}/.test(text) || templateOf(text) !== undefined, {
    error: "holds a template that is not like {{internal.logins}}, once",
  });

/** Label name to accepted values, where `*` stands for any text. All names must match. */
const labelMatchers = z
  .record(z.string().min(1), z.array(template).min(1, { error: "must name a value, or *" }))
  .refine((matchers) => !matchers["*"] || matchers["*"].every((value) => value === "*"), {
    error: 'matches any label by "*": only with the value "*"',
    path: ["*"],
  });
export const verbs = ["list", "read", "create", "update", "delete", "use"] as const;

/** What a rule may be about: every kind of resource, and what else callers ask for. */
export const ruleResources = [
  "user",
  "role",
  "bot",
  "bot_instance",
  "token",
  "lock",
  "node",
  "app",
  "db",
  "kube_cluster",
  "cert_authority",
  "cluster_config",
  "event",
  "status",
  "authority_export",
] as const;

const rule = z.strictObject({
  /** A misspelt name in a deny would be a hole, so only known ones are taken. */
  resources: z
    .array(z.enum([...ruleResources, "*"]))
    .min(1)
    .meta({ description: "kinds of resources, or what else callers ask for" }),
  verbs: z
    .array(z.enum([...verbs, "*"]))
    .min(1)
    .meta({ description: "what may be done with them" }),
});

const impersonate = z.strictObject({
  users: grantedNames.meta({ description: "users that may be acted as" }),
  roles: grantedNames.meta({ description: "roles that certificates may be asked for" }),
});

const conditions = z.strictObject({
  logins: z.array(template).default([]).meta({ description: "accounts on nodes" }),
  node_labels: labelMatchers.default({}).meta({ description: "nodes whose labels match" }),
  app_labels: labelMatchers.default({}).meta({ description: "applications whose labels match" }),
  db_labels: labelMatchers.default({}).meta({ description: "databases whose labels match" }),
  db_names: z.array(z.string()).default([]).meta({ description: "names of databases on a server" }),
  db_users: z.array(z.string()).default([]).meta({ description: "accounts in databases" }),
  kubernetes_labels: labelMatchers
    .default({})
    .meta({ description: "Kubernetes clusters whose labels match" }),
  kubernetes_groups: z
    .array(z.string())
    .default([])
    .meta({ description: "groups in Kubernetes clusters" }),
  workload_identity_labels: labelMatchers
    .default({})
    .meta({ description: "workload identities whose labels match" }),
  impersonate: impersonate
    .default({ users: [], roles: [] })
    .meta({ description: "who else a holder may act as: how a bot uses roles" }),
  rules: z.array(rule).default([]).meta({ description: "what may be done with resources" }),
});

const options = z.strictObject({
  max_session_ttl: duration
    .default("12h")
    .meta({ description: "longest lifetime of certificates" }),
  require_mfa_for_admin: z
    .boolean()
    .default(false)
    .meta({ description: "ask for a second factor before administrative actions" }),
});

const spec = z.strictObject({
  allow: conditions.prefault({}).meta({ description: "what a holder may do" }),
  deny: conditions.prefault({}).meta({ description: "what no role of a holder can allow" }),
  options: options.prefault({}).meta({ description: "how a holder may do it" }),
});

export type RuleResource = (typeof ruleResources)[number];
export type Verb = (typeof verbs)[number];
export type LabelMatchers = z.infer<typeof labelMatchers>;
export type RoleConditions = z.infer<typeof conditions>;
export type Role = Resource<"role", z.infer<typeof spec>>;

export const roleKind = defineKind<Role>({
  kind: "role",
  version: "v1",
  aliases: ["roles"],
  spec,
  textVersion: 1,
});
