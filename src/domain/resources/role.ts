import { duration } from "#base/config";
import { z } from "zod";
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
  "app",
  "cert_authority",
  "cluster_config",
  "event",
  "status",
  "authority_export",
] as const;

const rule = z.strictObject({
  /** A misspelt name in a deny would be a hole, so only known ones are taken. */
  resources: z.array(z.enum([...ruleResources, "*"])).min(1),
  verbs: z.array(z.enum([...verbs, "*"])).min(1),
});

const impersonate = z.strictObject({
  users: grantedNames,
  roles: grantedNames,
});

const conditions = z.strictObject({
  logins: z.array(template).default([]),
  node_labels: labelMatchers.default({}),
  app_labels: labelMatchers.default({}),
  db_labels: labelMatchers.default({}),
  db_names: z.array(z.string()).default([]),
  db_users: z.array(z.string()).default([]),
  kubernetes_labels: labelMatchers.default({}),
  kubernetes_groups: z.array(z.string()).default([]),
  workload_identity_labels: labelMatchers.default({}),
  impersonate: impersonate.default({ users: [], roles: [] }),
  rules: z.array(rule).default([]),
});

const options = z.strictObject({
  max_session_ttl: duration.default("12h"),
  require_mfa_for_admin: z.boolean().default(false),
});

const spec = z.strictObject({
  allow: conditions.prefault({}),
  deny: conditions.prefault({}),
  options: options.prefault({}),
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
});
