import { duration } from "#base/config";
import { z } from "zod";
import { defineKind, type Resource } from "./kind.ts";

/** Label name to accepted values; `*` stands for any. All names must match. */
const labelMatchers = z.record(z.string().min(1), z.array(z.string()));
export const verbs = ["list", "read", "create", "update", "delete", "use"] as const;

const rule = z.strictObject({
  /** Kinds, or `*`; beside resources: `event`, `status`, `authority_export`. */
  resources: z.array(z.string().min(1)).min(1),
  verbs: z.array(z.enum([...verbs, "*"])).min(1),
});

const impersonate = z.strictObject({
  users: z.array(z.string().min(1)).default([]),
  roles: z.array(z.string().min(1)).default([]),
});

const conditions = z.strictObject({
  logins: z.array(z.string().min(1)).default([]),
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
